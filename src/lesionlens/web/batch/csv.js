// The table that `lesionlens classify --output results.csv` writes, column for column.

const BEFORE = "file,error,code,answer,nearest,confidence,malignant_probability";
const AFTER = "width,height,overlay,model,model_version,notice,confident,decided_by,prediction_set,coverage,suitable,suitability_score,suitability_threshold,reasons,hints";
// A spreadsheet runs a cell that begins so as a formula (OWASP, "CSV Injection"); the last four are full-width forms.
const FORMULA = /^ *[=+\-@\t\r\n＝＋－＠]/;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

const safe = (text) => (FORMULA.test(text) ? `'${text}` : text);
const quote = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const six = (share) => share?.toFixed(6);
const short = (number) => number && Number(number.toPrecision(6));
const messages = (list) => list?.map(({ message }) => message).join(" ");

/** What became of the photos of a job, with the answers of `/v1/classes` and `/v1/model`. */
export function toCsv(items, classes, { name, version }) {
	const codes = classes.filter(({ malignant }) => malignant !== null).map(({ code }) => code); // not “not confident”
	const cells = ({ path, state, error, analysis }) => {
		const { prediction, most_probable: nearest, confidence, malignancy, probabilities, photo, prediction_set: set, suitability, quality } = analysis ?? {};
		return [
			...[safe(path.replace(UNPRINTABLE, "�")), analysis ? "" : safe(error ?? `${state}; not analysed.`), prediction?.code, prediction?.name, nearest?.name],
			...[confidence?.max_probability, malignancy?.probability, ...codes.map((code) => probabilities?.[code])].map(six),
			...[photo?.width, photo?.height, "", name, version, analysis && "Research tool, not a diagnosis", analysis?.confident, confidence?.rule, set?.codes.join(" "), set?.coverage],
			...[suitability?.suitable, short(suitability?.score), short(suitability?.threshold), messages(suitability?.reasons), messages(quality?.hints)],
		];
	};
	const head = [BEFORE, ...codes.map((code) => `probability_${code}`), AFTER].join();
	return [head, ...items.map((item) => cells(item).map((cell) => quote(String(cell ?? ""))).join()), ""].join("\n");
}
