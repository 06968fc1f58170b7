import { h } from "../dom.js";

const answer = await fetch(new URL("maps.svg", import.meta.url));
if (!answer.ok) throw new Error(`maps.svg: status ${answer.status}`);
const file = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
const all = (selector) => [...file.querySelectorAll(selector)].map((node) => document.importNode(node, true));
const titles = (selector) => Object.fromEntries(all(selector).map((node) => [node.id, node.querySelector("title").textContent]));

/** Names by id; of the signs, from the most worrying. */
export const VIEWS = titles("svg > svg");
export const SIGNS = titles(".signs > g");

/** An element of SVG, as `h` makes one of HTML. */
export function svg(tag, props, ...children) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
	element.append(...children.filter(Boolean));
	return element;
}

export function draw(view) {
	const { width, height } = file.getElementById(view).viewBox.baseVal;
	return { width, height, parts: all(`#${view} > :is(.skin, .crease, .caption)`) };
}

export const sign = (level) => all(`#${level} > path`)[0];
export const badge = (level) => svg("svg", { class: "badge", viewBox: "-9 -9 18 18", width: 18, height: 18, "aria-hidden": "true" }, sign(level));
export const chip = (level) => h("span.chip", badge(level), SIGNS[level]);

/** In shares of the sides. */
export function places(view) {
	const { width, height } = draw(view);
	return all(`#${view} .places text`).map((at) => ({ name: at.textContent, x: at.getAttribute("x") / width, y: at.getAttribute("y") / height }));
}

/** The nearest name: whoever pins a lesion may know better. */
export function suggestSite(view, x, y) {
	const { width, height } = draw(view);
	const away = (place) => Math.hypot((place.x - x) * width, (place.y - y) * height);
	return places(view).sort((a, b) => away(a) - away(b))[0].name;
}
