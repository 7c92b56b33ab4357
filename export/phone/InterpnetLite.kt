// Class and explanation on Android; the same steps as interpnet_lite.py.
package interpnet

import android.content.res.AssetManager
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer
import java.nio.ByteOrder

data class Explanation(
    val label: String,
    val probability: Float,
    val text: String,
    val words: List<String>,
    val logProbabilities: List<Float>,
)

/** Runs `NAME.tflite`, with `NAME.vocabulary.txt` and `NAME.labels.txt` beside it in the app's assets. */
class Explainer(assets: AssetManager, name: String, threads: Int = 1) : AutoCloseable {
    private val words = assets.lines("$name.vocabulary.txt")
    private val labels = assets.lines("$name.labels.txt")
    private val interpreter: Interpreter

    init {
        val bytes = assets.open("$name.tflite").use { it.readBytes() }
        val model = ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).put(bytes)
        model.rewind()
        interpreter = Interpreter(model, Interpreter.Options().setNumThreads(threads))
    }

    /** `x`: the features, or the picture's RGB numbers (0..255) row by row. */
    fun explain(x: FloatArray): Explanation {
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
            labels[classId[0]], probability[0], detokenize(said), said, logProbabilities[0].take(said.size)
        )
    }

    override fun close() = interpreter.close()

    companion object {
        const val PAD = 0
        const val END = 2

        fun detokenize(words: List<String>): String =
            words.joinToString(" ")
                .replace(Regex(" ([,.;:!?%)\\]}…])"), "$1")
                .replace(Regex("([(\\[{#]) | (/) ")) { it.groupValues[1] + it.groupValues[2] }

        private fun AssetManager.lines(name: String): List<String> =
            open(name).bufferedReader().use { it.readLines() }
    }
}
