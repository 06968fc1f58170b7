import { ask, openDialog } from "../dialog.js";
import { button, h, sheet } from "../dom.js";
import { lesions, people, photoUrl, visits } from "../tracker-api.js";
import { day, moment } from "./dates.js";
import { attempt } from "./failure.js";
import { nameOf } from "./lesions.js";

/** What was deleted, to be put back or erased; resolves to whether anything changed. */
export async function openTrash(person_id, lesion_id) {
	const kinds = [
		!lesion_id && ["People", people, {}, ({ label }) => label],
		person_id && ["Lesions", lesions, { person_id }, nameOf],
		(person_id || lesion_id) && ["Photos", visits, { person_id, lesion_id }, ({ taken_at: at }) => `Photo of ${moment(at)}`],
	].filter(Boolean);
	let changed = false;
	const body = h("div.trash");
	const list = async () => {
		const parts = kinds.map(async ([title, api, of, nameIt]) => {
			const found = await api.list({ ...of, deleted: "only" });
			return found.length ? [h("h3", title), h("ul", ...found.map((item) => entry(api, item, nameIt(item))))] : [];
		});
		body.replaceChildren(...(await Promise.all(parts)).flat());
		if (!body.firstChild) body.append("Nothing was deleted.");
	};
	const act = async (does) => {
		changed = true;
		await attempt(does);
		await attempt(list);
		done.focus();
	};
	const erase = async (api, { id }, name) => {
		const body = `${name}, with all photos and answers, is removed from the disk. This cannot be undone.`;
		if (await ask({ title: "Erase for good?", body, confirm: "Erase for good", danger: true })) await act(() => api.erase(id));
	};
	const entry = (api, item, name) =>
		h(
			"li",
			item.photo && h("img", { src: photoUrl(item.id, 128), alt: "", loading: "lazy" }),
			h("span", name, h("span.quiet.small", `deleted ${day(item.deleted_at)}`)),
			button("Put back", () => act(() => api.undelete(item.id)), "", { "aria-label": `Put back: ${name}` }),
			button("Erase", () => erase(api, item, name), "danger", { "aria-label": `Erase for good: ${name}` }),
		);
	const done = button("Done", () => close(), "primary");
	if (!(await attempt(list))) return false;
	const { close, closed } = openDialog(sheet("Deleted", body, h("div.actions", done)), { label: "Deleted" });
	await closed;
	return changed;
}
