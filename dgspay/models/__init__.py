"""Values of the API, one file per area: frozen classes and open enums."""
