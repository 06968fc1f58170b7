import { h } from "./dom.js";
import { paint } from "./heat.js";

const LONGEST = 1200; // pixels; enough for any screen the page is read on

/** Shows the photo and, over it, where the network looked for a class. */
class Photo extends HTMLElement {
  #bitmap = null;
  #analysis = null;
  #canvas = h("canvas", { role: "img" });
  #opacity = 0.6;
  #code = "";

  /**
   * Show a photo without a heatmap. A format that the browser cannot show leaves a note in its place.
   *
   * @param {Blob} photo
   * @param {AbortSignal} signal Once it is aborted, nothing changes any more: decoding takes time, and a newer photo may
   *   be quicker.
   */
  async show(photo, signal) {
    const bitmap = await createImageBitmap(photo, { imageOrientation: "from-image" }).catch(() => null);
    if (signal.aborted) {
      bitmap?.close();
      return;
    }
    this.clear();
    this.#bitmap = bitmap;
    const seen = bitmap
      ? this.#canvas
      : h("p", { class: "quiet unseen" }, "Your browser cannot show this format; the service may be able to read it.");
    this.replaceChildren(h("figure", { class: "stage" }, seen));
    this.#draw();
  }

  /** Show nothing, and give the photo's memory back. */
  clear() {
    this.#bitmap?.close();
    this.#bitmap = null;
    this.#analysis = null;
    this.replaceChildren();
  }

  /** Lay heatmaps over the photo, beginning with the most probable class. */
  explain(analysis, classes) {
    if (!this.#bitmap || !analysis.maps) return;
    this.#analysis = analysis;
    this.#code = analysis.most_probable.code;
    this.append(this.#controls(classes));
    this.#draw();
  }

  #controls(classes) {
    const picker = h("select", { id: "heat-class", onchange: () => ((this.#code = picker.value), this.#draw()) });
    for (const { code, name } of classes.filter((kind) => kind.code in this.#analysis.maps)) {
      picker.append(h("option", { value: code, selected: code === this.#code }, name));
    }
    const { left, top } = this.#analysis.seen_box;
    const whole = left === 0 && top === 0;
    const percent = Math.round(100 * this.#opacity);
    const value = h("output", { for: "heat-opacity" }, `${percent}%`);
    const slider = h("input", {
      type: "range",
      id: "heat-opacity",
      min: 0,
      max: 100,
      value: percent,
      oninput: () => {
        this.#opacity = slider.value / 100;
        value.textContent = `${slider.value}%`;
        this.#draw();
      },
    });
    return h(
      "div",
      { class: "controls" },
      h("div", { class: "field" }, h("label", { for: "heat-class" }, "Where it looked for"), picker),
      h("div", { class: "field wide" }, h("label", { for: "heat-opacity" }, "Heatmap ", value), slider),
      h(
        "p",
        { class: "quiet small legend" },
        h("span", { class: "ramp", "aria-hidden": "true" }),
        `Brighter: counted more for that diagnosis.${whole ? "" : " The network saw only this middle square of the photo."}`,
      ),
    );
  }

  #draw() {
    if (!this.#bitmap) return;
    const { width, height } = this.#bitmap;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = Object.assign(this.#canvas, {
      width: Math.max(1, Math.round(width * scale)),
      height: Math.max(1, Math.round(height * scale)),
    });
    const context = canvas.getContext("2d");
    context.drawImage(this.#bitmap, 0, 0, canvas.width, canvas.height);
    canvas.setAttribute("aria-label", "The photo");
    if (!this.#analysis) return;
    const { left, top, right, bottom } = this.#analysis.seen_box;
    context.globalAlpha = this.#opacity;
    context.imageSmoothingQuality = "high";
    context.drawImage(
      paint(this.#analysis.maps[this.#code]),
      left * canvas.width,
      top * canvas.height,
      (right - left) * canvas.width,
      (bottom - top) * canvas.height,
    );
    context.globalAlpha = 1;
    canvas.setAttribute("aria-label", `The photo; the heatmap shows where the network looked for ${this.#code}`);
  }
}

customElements.define("ll-photo", Photo);
