import { button, h } from "./dom.js";

/** There from the start: a live region that comes with its text is not always read. */
const place = h("div.toasts", { "aria-live": "polite" });
document.body.append(place);

/** Say something in passing, perhaps with a button such as "Undo". It waits while it has the pointer or the focus. */
export function toast(text, { action, onaction } = {}) {
	const used = () => {
		made.remove();
		onaction?.();
	};
	const made = h("div.toast", h("span", text), action && button(action, used));
	const leave = () => (made.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : made.remove());
	setTimeout(leave, action ? 12_000 : 6000);
	// Nothing but an open dialog can be used, so a toast must be within it.
	([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(place);
	place.append(made);
}
