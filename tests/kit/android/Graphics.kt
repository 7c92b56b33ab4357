// android.graphics over Java's own reader of pictures.
package android.graphics

import java.io.ByteArrayInputStream
import javax.imageio.ImageIO

class Bitmap(private val image: java.awt.image.BufferedImage) {
    val width: Int get() = image.width
    val height: Int get() = image.height

    fun getPixels(pixels: IntArray, offset: Int, stride: Int, x: Int, y: Int, width: Int, height: Int) {
        image.getRGB(x, y, width, height, pixels, offset, stride)
    }
}

object BitmapFactory {
    class Options {
        @JvmField var inJustDecodeBounds = false
        @JvmField var inPremultiplied = true
        @JvmField var inSampleSize = 1
        @JvmField var outWidth = -1
        @JvmField var outHeight = -1
    }

    @JvmStatic
    fun decodeByteArray(data: ByteArray, offset: Int, length: Int, options: Options): Bitmap? {
        val stream = ImageIO.createImageInputStream(ByteArrayInputStream(data, offset, length))
        val reader = ImageIO.getImageReaders(stream).asSequence().firstOrNull() ?: return null
        reader.input = stream
        options.outWidth = reader.getWidth(0)
        options.outHeight = reader.getHeight(0)
        if (options.inJustDecodeBounds) return null
        check(options.inSampleSize == 1) { "the stub does not shrink" }
        return Bitmap(reader.read(0))
    }
}
