// Class and explanation on Android; the same steps as interpnet_lite.py. InterpnetPicture.kt belongs to it.
package interpnet

import android.content.res.AssetManager
import org.tensorflow.lite.Interpreter
import java.io.ByteArrayInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipInputStream

data class Explanation(
    val label: String,
    val classId: Int,
    val probability: Float,
    val text: String,
    val words: List<String>,
    val logProbabilities: List<Float>,
)

/**
 * Runs an exported `.tflite` file. Everything else that is needed (words, class names, what is done to an
 * input) lies in the file, as a zip archive behind the model.
 */
class Explainer(model: ByteArray, threads: Int = 1) : AutoCloseable {
    private val packed = unpack(model)
    private val words = lines("vocabulary.txt")
    private val labels = lines("labels.txt")
    private val interpreter: Interpreter

    init {
        val buffer = ByteBuffer.allocateDirect(model.size).order(ByteOrder.nativeOrder()).put(model)
        buffer.rewind()
        interpreter = Interpreter(buffer, Interpreter.Options().setNumThreads(threads))
    }

    constructor(assets: AssetManager, file: String, threads: Int = 1) :
        this(assets.open(file).use { it.readBytes() }, threads)

    /** The shape of one input: `[features]`, or `[height, width, 3]` of a picture. */
    val shape: IntArray =
        interpreter.getInputTensorFromSignature("x", "explain").shape().let { it.copyOfRange(1, it.size) }

    /** Whether the model reads pictures. */
    val readsPictures: Boolean = Regex("\"kind\":\\s*\"picture\"").containsMatchIn(text("preprocessing.json"))

    /** Classifies a picture file (JPEG, PNG or BMP) and says why. */
    fun explainPicture(file: ByteArray): Explanation {
        check(readsPictures) { "this model reads arrays of the shape ${shape.toList()}; call explain" }
        return explain(readPicture(file, shape[0]))
    }

    /** Classifies and says why. `x`: the features, or a picture's RGB numbers (0..255) row by row. */
    fun explain(x: FloatArray): Explanation {
        val expected = shape.fold(1, Int::times)
        require(x.size == expected) { "x must hold $expected numbers, got ${x.size}" }
        val input = ByteBuffer.allocateDirect(4 * x.size).order(ByteOrder.nativeOrder())
        input.asFloatBuffer().put(x)
        val length = interpreter.getOutputTensorFromSignature("token_ids", "explain").shape()[1]
        val classId = IntArray(1)
        val probability = FloatArray(1)
        val ids = arrayOf(IntArray(length))
        val logProbabilities = arrayOf(FloatArray(length))
        interpreter.runSignature(
            mapOf<String, Any>("x" to input),
            mapOf<String, Any>(
                "class_id" to classId,
                "probability" to probability,
                "token_ids" to ids,
                "log_probabilities" to logProbabilities,
            ),
            "explain",
        )
        val said = ids[0].takeWhile { it != END && it != PAD }.map { words[it] }
        return Explanation(
            labels[classId[0]],
            classId[0],
            probability[0],
            detokenize(said),
            said,
            logProbabilities[0].take(said.size),
        )
    }

    override fun close() = interpreter.close()

    private fun text(name: String): String =
        requireNotNull(packed[name]) { "the model has no $name in it; was it written by `interpnet export`?" }

    private fun lines(name: String): List<String> = text(name).removeSuffix("\n").split("\n")

    companion object {
        const val PAD = 0
        const val END = 2

        fun detokenize(words: List<String>): String =
            words.joinToString(" ")
                .replace(Regex(" ([,.;:!?%)\\]}…])"), "$1")
                .replace(Regex("([(\\[{#]) | (/) ")) { it.groupValues[1] + it.groupValues[2] }

        /** Returns the text files of the archive behind the model. */
        private fun unpack(model: ByteArray): Map<String, String> {
            val bytes = ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN)
            // The end record of a zip archive tells where its directory begins, whose first entry tells where
            // the first file begins.
            val end = (model.size - 22 downTo maxOf(0, model.size - 65557)).firstOrNull {
                bytes.getInt(it) == 0x06054b50
            }
            requireNotNull(end) { "the model has no files packed into it; was it written by `interpnet export`?" }
            val first = bytes.getInt(bytes.getInt(end + 16) + 42)
            ZipInputStream(ByteArrayInputStream(model, first, model.size - first)).use { archive ->
                return generateSequence { archive.nextEntry }
                    .associate { it.name to archive.readBytes().toString(Charsets.UTF_8) }
            }
        }
    }
}
