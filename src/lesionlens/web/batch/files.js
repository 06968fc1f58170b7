// Which pictures are meant by what was dropped or chosen; of a folder those that `lesionlens classify` takes out of it.

const isPicture = (path) => /\.(jpe?g|jpe|png|webp|bmp|tiff?)$/i.test(path) && !/-heatmap\.png$|(^|\/)\./i.test(path);
const meant = (files) => files.filter(({ path }) => !path.includes("/") || isPicture(path)).sort((a, b) => (a.path < b.path ? -1 : 1));

/** The files of an `<input type="file">` as `{path, file}`. */
export const chosen = (list) => meant([...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })));

/** The files of a `DataTransfer`, folders searched to the bottom; `file` is null for one that cannot be opened. */
export async function dropped({ items }) {
	const entries = [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
	return meant((await Promise.all(entries.map(walk))).flat(Infinity));
}

async function walk(entry) {
	if (entry.isFile) return { path: entry.fullPath.slice(1), file: await new Promise((done) => entry.file(done, () => done(null))) };
	const [reader, found] = [entry.createReader(), []];
	const next = () => new Promise((done) => reader.readEntries(done, () => done([]))); // 100 at a time
	for (let some; (some = await next()).length; ) found.push(...some);
	return Promise.all(found.map(walk));
}
