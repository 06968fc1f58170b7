import { h, tell } from "./dom.js";

const ACCEPTED = "image/jpeg,image/png,image/webp,image/bmp,image/tiff";

/** Takes a photo by choosing, dropping or pasting it, and tells of it with the event `photo`. */
class Picker extends HTMLElement {
  connectedCallback() {
    const input = h("input", {
      type: "file",
      id: "file",
      accept: ACCEPTED,
      class: "hidden",
      onchange: () => {
        this.#take(input.files);
        input.value = ""; // so that the same photo can be chosen again
      },
    });
    const key = navigator.platform?.startsWith("Mac") ? "⌘ V" : "Ctrl V";
    this.append(
      h(
        "label",
        { class: "drop", for: "file" },
        input,
        h("span", { class: "lens", "aria-hidden": "true" }),
        h("strong", { class: "first" }, "Choose a photo of one lesion"),
        h("strong", { class: "again" }, "Analyse another photo"),
        h("span", { class: "quiet pointer" }, "or drop it here, or paste it with ", h("kbd", {}, key)),
        h("span", { class: "quiet small" }, "JPEG, PNG, WebP, BMP or TIFF"),
      ),
    );
    const signal = (this.#gone = new AbortController()).signal;
    document.addEventListener("paste", (event) => this.#take(event.clipboardData?.files), { signal });
    for (const type of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(type, (event) => this.#drag(event), { signal });
    }
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  #gone;

  #drag(event) {
    event.preventDefault(); // or the browser would leave the page to show the photo
    this.classList.toggle("over", event.type === "dragover");
    if (event.type === "drop") this.#take(event.dataTransfer?.files);
  }

  #take(files) {
    if (files?.length) tell(this, "photo", files[0]);
  }
}

customElements.define("ll-picker", Picker);
