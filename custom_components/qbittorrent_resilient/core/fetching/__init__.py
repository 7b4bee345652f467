"""Web links that lead to a magnet or a torrent file: fetched here, and kept until they could be."""
