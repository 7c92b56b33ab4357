"""What every room stands on: files that appear whole or not at all, memory, progress, a quiet terminal."""
