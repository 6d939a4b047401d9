"""A model for Android apps: Java around it, an archive (AAR) of both, and what Gradle needs."""
