import { button, h, tell } from "../dom.js";
import { draw, sign, suggestSite, svg, VIEWS } from "./places.js";

const [MOST, STEP] = [8, 1.6]; // times enlarged
const [STILL, NEAR] = [6, 24]; // pixels that a press may slip, and may miss its lesion
const EVENTS = ["pointerdown", "pointermove", "pointerup", "pointercancel", "click", "keydown", "wheel"];
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 };
const TOOLS = [["Zoom in", "+", STEP], ["Zoom out", "−", 1 / STEP], ["Show all of the map", "⤢", 0]];
const HELP = "Press a place on the skin. Zoom with the wheel, two fingers, or the buttons; with keys, move a cross by the arrows and press Enter.";

const within = (value, low, high) => Math.min(high, Math.max(low, value));

/** To choose a place on the skin: `place` tells of it in shares of the sides. */
class BodyMap extends HTMLElement {
	#view;
	#sides;
	#zoom;
	#centre = [0, 0];
	#cross;
	#fingers = new Map();
	#slipped = false;
	#svg = svg("svg", { class: "map", tabindex: 0, role: "application", "aria-describedby": "map-help" });
	#spots = svg("g", {});
	#mark = sign("cross");
	#said = h("p.hidden", { role: "status" });
	#resized = new ResizeObserver(() => this.#look());

	connectedCallback() {
		for (const type of EVENTS) this.#svg[`on${type}`] = (event) => this[`on_${type}`](event);
		const tools = TOOLS.map(([label, text, by]) => button(text, () => this.#enlarge(by), "", { "aria-label": label }));
		this.replaceChildren(this.#svg, h("p.quiet.small", { id: "map-help" }, HELP), h("div.map-tools", ...tools), this.#said);
		this.#resized.observe(this.#svg);
	}

	disconnectedCallback() {
		this.#resized.disconnect();
	}

	show(view, spots) {
		if (view !== this.#view) {
			const { width, height, parts } = draw(view);
			[this.#view, this.#sides, this.#cross] = [view, [width, height], undefined];
			this.#svg.replaceChildren(...parts, this.#spots);
			this.#svg.setAttribute("aria-label", `Map of the body: ${VIEWS[view]}`);
			this.#enlarge(0);
		}
		const spot = ({ id, x, y, level, label }) => {
			const link = svg("a", { href: `#/lesions/${id}`, "aria-label": label }, svg("title", {}, label), sign("reach"), sign(level));
			return Object.assign(link, { at: [x * this.#sides[0], y * this.#sides[1]] });
		};
		this.#spots.replaceChildren(...spots.map(spot));
		this.#look();
	}

	/** Enlarge, and keep a place where it is; by 0, show all. */
	#enlarge(factor, [x, y] = this.#centre) {
		const zoom = within(this.#zoom * factor || 1, 1, MOST);
		const kept = this.#zoom / zoom || 1;
		this.#zoom = zoom;
		this.#move(x + (this.#centre[0] - x) * kept, y + (this.#centre[1] - y) * kept);
	}

	#move(...to) {
		const edge = 1 / (2 * this.#zoom);
		this.#centre = to.map((value, axis) => within(value, this.#sides[axis] * edge, this.#sides[axis] * (1 - edge)));
		this.#look();
	}

	#look() {
		const seen = this.#sides.map((side) => side / this.#zoom);
		this.#svg.setAttribute("viewBox", [...this.#centre.map((value, axis) => value - seen[axis] / 2), ...seen].join(" "));
		this.#svg.style.touchAction = this.#zoom > 1 ? "none" : "pan-y"; // as a whole, the map must not stop the page
		const put = (node, [x, y]) => node.setAttribute("transform", `translate(${x} ${y}) scale(${1 / this.#scale})`); // signs keep their size
		for (const spot of this.#spots.children) put(spot, spot.at);
		if (this.#cross) put(this.#mark, this.#cross);
	}

	/** Pixels per unit of the map. */
	get #scale() {
		return this.#svg.getScreenCTM()?.a || 1;
	}

	/** The same in units of the map. */
	#at(left, top) {
		const { x, y } = new DOMPoint(left, top).matrixTransform(this.#svg.getScreenCTM().inverse());
		return [x, y];
	}

	#found(at) {
		if (![...this.#svg.querySelectorAll(".skin path")].some((path) => path.isPointInFill(new DOMPoint(...at)))) return;
		const [x, y] = at.map((value, axis) => value / this.#sides[axis]);
		return { view: this.#view, x, y, site: suggestSite(this.#view, x, y), radius: NEAR / this.#scale / this.#sides[0] };
	}

	#choose(at) {
		const found = this.#found(at);
		if (found) tell(this, "place", found);
		else this.#said.textContent = "That is beside the body.";
	}

	on_wheel(event) {
		if (this.#zoom === 1 && event.deltaY > 0) return; // the page scrolls on
		event.preventDefault();
		this.#enlarge(Math.exp(-event.deltaY / 300), this.#at(event.clientX, event.clientY));
	}

	on_pointerdown({ button: which, pointerId, clientX: x, clientY: y }) {
		if (which) return;
		if (!this.#fingers.size) this.#slipped = false;
		this.#fingers.set(pointerId, { x, y, from: [x, y] });
	}

	on_pointermove({ pointerId, pointerType, buttons, clientX: x, clientY: y }) {
		if (!buttons) this.#fingers.delete(pointerId); // it was lifted somewhere else
		const finger = this.#fingers.get(pointerId);
		if (!finger) return;
		const before = { ...finger };
		Object.assign(finger, { x, y });
		this.#slipped ||= Math.hypot(x - finger.from[0], y - finger.from[1]) > STILL;
		if (!this.#slipped) return;
		if (pointerType === "mouse") this.#svg.setPointerCapture(pointerId);
		const other = [...this.#fingers.values()].find((one) => one !== finger);
		if (other) {
			const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y);
			this.#enlarge(apart(finger) / Math.max(1, apart(before)), this.#at((x + other.x) / 2, (y + other.y) / 2));
		}
		const by = (other ? 0.5 : 1) / this.#scale;
		this.#move(this.#centre[0] - (x - before.x) * by, this.#centre[1] - (y - before.y) * by);
	}

	on_pointerup({ pointerId }) {
		this.#fingers.delete(pointerId);
	}

	on_pointercancel = this.on_pointerup;

	on_click(event) {
		if (this.#slipped) event.preventDefault();
		else if (!event.target.closest("a")) this.#choose(this.#at(event.clientX, event.clientY));
	}

	on_keydown(event) {
		if (event.target !== this.#svg || event.ctrlKey || event.metaKey || event.altKey) return;
		const does = KEYS[event.key];
		if (Array.isArray(does)) this.#steer(does, event.shiftKey ? 0.08 : 0.02);
		else if (does !== undefined) this.#enlarge(does, this.#cross);
		else if (event.key === "Enter" && this.#cross) this.#choose(this.#cross);
		else return;
		event.preventDefault();
	}

	#steer(way, share) {
		const step = (share * this.#sides[0]) / Math.sqrt(this.#zoom);
		this.#cross = this.#cross ? this.#cross.map((value, axis) => within(value + step * way[axis], 0, this.#sides[axis])) : this.#centre;
		this.#svg.append(this.#mark);
		const near = this.#cross.every((value, axis) => Math.abs(value - this.#centre[axis]) < (0.45 * this.#sides[axis]) / this.#zoom);
		this.#move(...(near ? this.#centre : this.#cross));
		this.#said.textContent = this.#found(this.#cross)?.site ?? "beside the body";
	}
}

customElements.define("ll-body-map", BodyMap);
