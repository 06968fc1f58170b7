import { describeModel } from "./api.js";
import { h } from "./dom.js";

/** Which model answers; with a result, the model of that result. */
class Model extends HTMLElement {
  async connectedCallback() {
    try {
      this.identity = await describeModel();
    } catch {
      this.replaceChildren(); // the first photo will say what is wrong
    }
  }

  set identity({ name, version, sha256 }) {
    this.replaceChildren(
      h("a", { href: "v1/model/card", title: `SHA-256 ${sha256}` }, h("span", { class: "quiet" }, "Model "), `${name} ${version}`),
      h("a", { href: "docs" }, "API"),
    );
  }
}

customElements.define("ll-model", Model);
