// Make an element such as `p.quiet.small`. An object after that has attributes, and listeners named `on…`; the rest are
// children: nodes, or texts, which are never parsed as HTML. What is false, null or undefined is left out.
export function h(what, ...children) {
	const [tag, ...classes] = what.split(".");
	const props = children[0]?.constructor === Object ? children.shift() : {};
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	for (const [name, value] of Object.entries(props)) {
		if (typeof value === "function") element.addEventListener(name.slice(2), value);
		else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...children.filter((child) => child !== false && child != null));
	return element;
}

/** A button that submits no form; `kind` is primary, quiet, danger or nothing. */
export const button = (text, onclick, kind = "", props = {}) => h("button", { class: `button ${kind}`, type: "button", onclick, ...props }, text);

/** A control, which has an id, under its label. */
export const field = (label, control, ...more) => h("div.field", h("label", { for: control.id }, label, ...more), control);

/** A card under a heading, whose id is given. */
export const card = (id, title, kind, ...children) => h("section", { class: `card ${kind}`, "aria-labelledby": id }, h("h2", { id }, title), ...children);

/** Says that something failed, and what can be done about it. */
export const failure = (title, detail, ...ways) => h("section.card.failure", { role: "alert" }, h("h1", title), h("p.lead", detail), h("div.actions", ...ways));

/** What a dialog holds under its heading. */
export const sheet = (title, ...children) => h("div.sheet", h("h2", title), ...children);

/** Tell the parents of an element about something. */
export const tell = (element, type, detail) => element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));

/** Link a style sheet once: `await loadStyle(new URL("body.css", import.meta.url))`. Settles in any case. */
export function loadStyle({ href }) {
	if ([...document.styleSheets].some((sheet) => sheet.href === href)) return Promise.resolve();
	return new Promise((done) => document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done })));
}
