"""The model as a package of npm for web pages: fixed files, and what is written for each model."""
