import { button, failure, h } from "./dom.js";

// `keep`: still there when one comes back. `records`: only where the service keeps some, after a login.
const VIEWS = {
	analyse: { title: "Analyse", load: () => import("./analyse/view.js"), keep: true },
	body: { title: "Body", load: () => import("./body/view.js"), records: true },
	lesion: { title: "Lesion", load: () => import("./lesion/view.js"), records: true },
	batch: { title: "Batch", load: () => import("./batch/view.js"), keep: true },
	about: { title: "About", load: () => import("./about/view.js") },
};

/** The view of an address such as `#/lesions/ID`; the start for one that leads nowhere. */
function parse(hash) {
	const [, name, id] = /^#\/(\w+)\/?([\w-]*)$/.exec(hash) ?? [];
	if (name === "lesions" && id) return { name: "lesion", params: { id } };
	return { name: name !== "lesion" && Object.hasOwn(VIEWS, name) ? name : "analyse" };
}

export class Router {
	#outlet;
	#kept = {};
	#turn = 0;

	constructor(outlet) {
		this.#outlet = outlet;
		addEventListener("hashchange", () => this.show());
	}

	/** Show the view of the address; the first one takes no focus from the page. */
	async show({ first = false } = {}) {
		const turn = ++this.#turn; // a view that loads slowly must not replace a newer one
		const route = parse(location.hash);
		const shown = await this.#open(route);
		if (turn !== this.#turn) return;
		document.title = `${VIEWS[route.name].title} · LesionLens`;
		const part = { analyse: "#/", lesion: "#/body" }[route.name] ?? `#/${route.name}`;
		for (const link of document.querySelectorAll("nav a")) link.ariaCurrent = link.hash === part ? "page" : null;
		this.#outlet.replaceChildren(shown);
		if (first) return;
		scrollTo(0, 0);
		this.#outlet.focus({ preventScroll: true });
	}

	async #open({ name, params }) {
		const { title, load, keep, records } = VIEWS[name];
		if (this.#kept[name]) return this.#kept[name];
		try {
			if (records) await (await import("./access.js")).openRecords();
			await load();
		} catch (error) {
			if (error.title) return notice(error.title, error.message);
			console.warn(error);
			return notice(`“${title}” cannot be loaded`, "The service may be out of reach. Check the connection, then try again.");
		}
		const view = Object.assign(document.createElement(`ll-${name}`), { params });
		if (keep) this.#kept[name] = view;
		return view;
	}
}

const notice = (title, detail) => failure(title, detail, button("Try again", () => location.reload(), "primary"), h("a.button", { href: "#/" }, "To the start"));
