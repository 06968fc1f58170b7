import { describeModel } from "./api.js";
import { h } from "./dom.js";

/** Which model answers, or gave the answer that is shown. */
class Model extends HTMLElement {
	connectedCallback() {
		document.addEventListener("reachable", () => this.#ask());
		this.#ask();
	}

	async #ask() {
		const known = await describeModel().catch(() => null);
		if (known) this.identity = known;
		else this.replaceChildren();
	}

	set identity({ name, version, sha256 }) {
		const card = h("a", { href: "v1/model/card", title: `SHA-256 ${sha256}` }, h("span.quiet", "Model "), `${name} ${version}`);
		this.replaceChildren(card, h("a", { href: "docs" }, "API"));
	}
}

customElements.define("ll-model", Model);
