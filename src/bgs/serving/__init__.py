"""What every local page needs of a server: a socket, guards around each request, clips by exact ranges."""
