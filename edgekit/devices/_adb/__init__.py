"""Android devices: the adb client, what it tells of a phone, and a native worker to put there."""
