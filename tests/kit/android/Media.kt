// android.media.ExifInterface: the orientation is that of the JPEG's mark as the tests write it.
package android.media

import java.io.InputStream

class ExifInterface(stream: InputStream) {
    private val bytes = stream.readBytes()

    /** Finds the little- or big-endian entry "orientation, one short integer" near the beginning. */
    fun getAttributeInt(tag: String, otherwise: Int): Int {
        check(tag == TAG_ORIENTATION)
        val little = listOf(0x12, 1, 3, 0, 1, 0, 0, 0)
        val big = listOf(1, 0x12, 0, 3, 0, 0, 0, 1)
        for (at in 0 until minOf(bytes.size - 12, 4096)) {
            val here = (0 until 8).map { bytes[at + it].toInt() and 255 }
            if (here == little) return bytes[at + 8].toInt()
            if (here == big) return bytes[at + 9].toInt()
        }
        return otherwise
    }

    companion object {
        const val TAG_ORIENTATION = "Orientation"
        const val ORIENTATION_NORMAL = 1
    }
}
