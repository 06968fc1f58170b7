import { button, h, tell } from "../dom.js";

const ACCEPTED = "image/jpeg,image/png,image/webp,image/bmp,image/tiff";

/** Takes a photo, however it is given, and tells of it with the event `photo`. */
class Picker extends HTMLElement {
	connectedCallback() {
		if (this.firstChild) return; // it is kept while another view is shown
		document.addEventListener("paste", (event) => this.#take(event.clipboardData?.files));
		for (const type of ["dragover", "dragleave", "drop"]) document.addEventListener(type, (event) => this.#drag(event));
		const file = this.#input({ id: "file", accept: ACCEPTED });
		this.append(
			h(
				"label.drop",
				file,
				h("img.lens", { src: "static/icon.svg", alt: "" }),
				h("strong.first", "Choose a photo of one lesion"),
				h("strong.again", "Analyse another photo"),
				h("span.quiet.pointer", "or drop it here, or paste it"),
				h("span.quiet.small", "JPEG, PNG, WebP, BMP or TIFF"),
			),
			this.#camera(),
		);
	}

	#input(attributes) {
		const choose = () => {
			this.#take(input.files);
			input.value = ""; // so that the same photo can be chosen again
		};
		const input = h("input.hidden", { type: "file", ...attributes, onchange: choose });
		return input;
	}

	/** A phone's own camera focuses better on what is near; elsewhere the page has to show the picture. */
	#camera() {
		if (matchMedia("(pointer: coarse)").matches) {
			return h("label.button.native", this.#input({ id: "camera", accept: "image/*", capture: "environment" }), "Take a photo");
		}
		if (!navigator.mediaDevices?.getUserMedia) return "";
		const open = async () => {
			const photo = await (await import("./camera.js")).takePhoto();
			if (photo) tell(this, "photo", photo);
		};
		return button("Use the camera", open, "", { id: "camera" });
	}

	#drag(event) {
		if (!this.isConnected) return;
		event.preventDefault(); // or the browser would leave the page to show the photo
		this.classList.toggle("over", event.type === "dragover");
		if (event.type === "drop") this.#take(event.dataTransfer?.files);
	}

	#take(files) {
		if (!files?.length || !this.isConnected || document.querySelector("dialog[open]")) return;
		tell(this, "photo", files[0]);
		if (files.length > 1) tell(this, "more");
	}
}

customElements.define("ll-picker", Picker);
