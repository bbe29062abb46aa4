"""The ways an emulator is reached: as an ASGI application, on a port, in process."""
