// A model card as elements. It knows what cards are written in, and sets all text as text: a card cannot run anything.
import { h } from "../dom.js";

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:[^\s)]+)\)|(doi|arXiv):(\S*\w)/g;
const RESOLVERS = { doi: "https://doi.org/", arXiv: "https://arxiv.org/abs/" };

/** Text with code, bold, emphasis, links and references, as nodes. */
function inline(text) {
	const nodes = [];
	let end = 0;
	for (const match of text.matchAll(INLINE)) {
		const [all, code, bold, emphasis, name, href, kind, id] = match;
		nodes.push(text.slice(end, match.index));
		end = match.index + all.length;
		if (code) nodes.push(h("code", code));
		else if (bold) nodes.push(h("strong", ...inline(bold)));
		else if (emphasis) nodes.push(h("em", emphasis));
		else nodes.push(h("a", { href: href ?? RESOLVERS[kind] + id, rel: "noreferrer" }, name ?? all));
	}
	return [...nodes, text.slice(end)];
}

const cells = (line) => line.replace(/^\||\|\s*$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

function table([head, marks = "", ...body]) {
	const numbers = cells(marks).map((mark) => mark.endsWith(":") && "number");
	const row = (line, first, other) => h("tr", ...cells(line).map((cell, i) => h(i ? other : first, { class: numbers[i] }, ...inline(cell))));
	const titles = cells(head).filter(Boolean).join(", ");
	// It scrolls by itself, by keyboard too, so that the page does not.
	return h("div.scroll", { tabindex: 0, role: "region", "aria-label": titles || "Table" }, h("table", titles && h("thead", row(head, "td", "th")), h("tbody", ...body.map((line) => row(line, "th", "td")))));
}

// Each kind of block: how its first line looks, how those after it do, and what becomes of them.
const BLOCKS = [
	[/^#+ /, /^$/, ([line]) => h(`h${line.indexOf(" ") + 1}`, ...inline(line.replace(/^#+ /, "")))],
	[/^\|/, /^\|/, table],
	[/^- /, /^(- |\s+\S)/, (lines) => h("ul.dashed", ...lines.join("\n").slice(2).split("\n- ").map((item) => h("li", ...inline(item))))],
	[/^>/, /^>/, (lines) => h("blockquote", ...inline(lines.join(" ").replace(/(^| )> ?/g, "$1")))],
	[/\S/, /^(?!#+ |\||- |>)\s*\S/, (lines) => h("p", ...inline(lines.join(" ")))],
];

/** Headings, each one level lower, paragraphs, tables, lists and quotes as elements. */
export function markdown(text) {
	const lines = text.split(/\r?\n/);
	const elements = [];
	for (let start = 0, end = 1; start < lines.length; start = end++) {
		const [, further, make] = BLOCKS.find(([first]) => first.test(lines[start])) ?? [];
		while (make && end < lines.length && further.test(lines[end])) end++;
		if (make) elements.push(make(lines.slice(start, end)));
	}
	return elements;
}
