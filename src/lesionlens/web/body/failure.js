import { button, h } from "../dom.js";
import { toast } from "../toast.js";

export function inWords(error) {
	if (error.title) return `${error.title}. ${error.message}`;
	console.error(error);
	return "The page failed. Try again; if that does not help, reload it.";
}

export const failed = (error, again) => h("section.card.failure", { role: "alert" }, h("p.lead", inWords(error)), button("Try again", again));

/** Do something, or say that it failed; resolves to true if it did not. */
export const attempt = (act) => act().then(() => true, (error) => toast(inWords(error)));

export const undoable = (text, undo) => toast(text, { action: "Undo", onaction: () => attempt(undo) });

export async function remove(api, id, text, removed, restored = removed) {
	if (!(await attempt(() => api.remove(id)))) return;
	undoable(text, () => api.undelete(id).then(restored));
	removed();
}
