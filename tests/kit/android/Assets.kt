// android.content.res.AssetManager: the files of a folder.
package android.content.res

class AssetManager(private val folder: String) {
    fun open(name: String): java.io.InputStream = java.io.File(folder, name).inputStream()
}
