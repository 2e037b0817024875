"""The asyncio side of media: peer connections, and players of media sources."""
