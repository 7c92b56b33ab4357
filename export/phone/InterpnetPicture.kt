// A picture file as the model reads it: upright, short side scaled to the size, centre cropped. Android
// decodes; the scaling is Pillow's bicubic filter, as it was in training. The same steps as interpnet_lite.py.
package interpnet

import android.graphics.BitmapFactory
import android.media.ExifInterface
import java.io.ByteArrayInputStream
import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** The most pixels that a picture file may have; it is refused before it is decoded. */
const val MOST_PIXELS = 67_108_864L

/** Returns the RGB numbers (0..255) of a picture file, `size * size * 3`, row by row. */
fun readPicture(file: ByteArray, size: Int): FloatArray {
    // Android reads more kinds than training did.
    val isJpeg = file.startsWith(0xFF, 0xD8, 0xFF)
    require(isJpeg || file.startsWith(0x89, 'P'.code, 'N'.code, 'G'.code) || file.startsWith('B'.code, 'M'.code)) {
        "this is no JPEG, PNG or BMP file"
    }
    val options = BitmapFactory.Options()
    options.inJustDecodeBounds = true
    BitmapFactory.decodeByteArray(file, 0, file.size, options)
    require(options.outWidth > 0 && options.outHeight > 0) { "this picture is damaged" }
    require(options.outWidth.toLong() * options.outHeight <= MOST_PIXELS) {
        "the picture has ${options.outWidth} x ${options.outHeight} pixels, more than $MOST_PIXELS"
    }
    options.inJustDecodeBounds = false
    options.inPremultiplied = false // colours behind transparent pixels stay as they are
    val shorter = min(options.outWidth, options.outHeight)
    options.inSampleSize = listOf(8, 4, 2).firstOrNull { isJpeg && shorter >= it * 2 * size } ?: 1
    val bitmap = requireNotNull(BitmapFactory.decodeByteArray(file, 0, file.size, options)) {
        "this picture is damaged"
    }
    val argb = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(argb, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    val orientation = ExifInterface(ByteArrayInputStream(file)).getAttributeInt(
        ExifInterface.TAG_ORIENTATION,
        ExifInterface.ORIENTATION_NORMAL,
    )
    return Pixels(bitmap.width, bitmap.height, argb).upright(orientation).fit(size)
}

private fun ByteArray.startsWith(vararg bytes: Int): Boolean =
    size >= bytes.size && bytes.indices.all { this[it] == bytes[it].toByte() }

/** The pixels of a picture, 0xAARRGGBB, row by row. */
class Pixels(val width: Int, val height: Int, val argb: IntArray) {
    /** Returns the picture turned and mirrored as EXIF's orientation mark, 1 to 8, asks for. */
    fun upright(orientation: Int): Pixels {
        val turned = orientation in 5..8
        val mirrored = orientation in listOf(2, 3, 6, 7)
        val upsideDown = orientation in listOf(3, 4, 7, 8)
        val (newWidth, newHeight) = if (turned) height to width else width to height
        val result = IntArray(argb.size)
        for (y in 0 until newHeight) {
            val row = if (upsideDown) newHeight - 1 - y else y
            for (x in 0 until newWidth) {
                val column = if (mirrored) newWidth - 1 - x else x
                result[y * newWidth + x] = if (turned) argb[column * width + row] else argb[row * width + column]
            }
        }
        return Pixels(newWidth, newHeight, result)
    }

    /** Returns the centre square, scaled to `size`, as RGB numbers: what Pillow's `ImageOps.fit` gives. */
    fun fit(size: Int): FloatArray {
        val side = min(width, height)
        val across = taps((width - side) / 2.0, side, size, width)
        val down = taps((height - side) / 2.0, side, size, height)
        // Rows first, rounded to whole numbers, then columns.
        val rows = Array(3) { FloatArray(height * size) }
        for (channel in 0..2) {
            val shift = 16 - 8 * channel
            for (y in 0 until height) {
                for (x in 0 until size) {
                    rows[channel][y * size + x] =
                        across[x].sum { (argb[y * width + it] shr shift and 255).toFloat() }
                }
            }
        }
        val result = FloatArray(size * size * 3)
        for (channel in 0..2) {
            for (y in 0 until size) {
                for (x in 0 until size) {
                    result[(y * size + x) * 3 + channel] = down[y].sum { rows[channel][it * size + x] }
                }
            }
        }
        return result
    }
}

/** The old pixels that one new pixel is made of, from `first` on, and their weights. */
private class Tap(val first: Int, val weights: DoubleArray) {
    inline fun sum(value: (Int) -> Float): Float {
        var sum = 0.0
        for (index in weights.indices) sum += weights[index] * value(first + index)
        return Math.rint(sum).coerceIn(0.0, 255.0).toFloat()
    }
}

/** The new pixels along one axis cover `length` old ones from `start` on. Shrinking widens the filter. */
private fun taps(start: Double, length: Int, size: Int, available: Int): List<Tap> {
    val scale = length.toDouble() / size
    val width = max(scale, 1.0)
    return List(size) { index ->
        val centre = start + (index + 0.5) * scale
        val first = max(0, floor(centre - 2 * width + 0.5).toInt())
        val end = min(available, floor(centre + 2 * width + 0.5).toInt())
        val weights = DoubleArray(end - first) { bicubic((first + it + 0.5 - centre) / width) }
        val sum = weights.sum()
        Tap(first, DoubleArray(weights.size) { weights[it] / sum })
    }
}

/** Keys (1981), "Cubic convolution interpolation", with a = -0.5. */
private fun bicubic(position: Double): Double {
    val x = abs(position)
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1
    return if (x < 2) ((-0.5 * x + 2.5) * x - 4) * x + 2 else 0.0
}
