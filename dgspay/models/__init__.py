"""What the API says and takes, one file per area: frozen classes and open enums."""
