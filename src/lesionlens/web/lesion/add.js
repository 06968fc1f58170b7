import { newId } from "../api.js";
import { card, h } from "../dom.js";
import { toast } from "../toast.js";
import { visits } from "../tracker-api.js";
import { fromLocal, toLocal } from "../body/dates.js";
import { fill } from "../body/form.js";

export const visitFields = (takenAt, note) => [
	{ name: "taken_at", label: "Taken on", type: "datetime-local", value: toLocal(takenAt), more: { required: true, max: toLocal(Date.now() + 60_000) } },
	{ name: "note", label: "Note", type: "textarea", value: note, help: "Such as itching, bleeding, or what the doctor said." },
];

export function addPhoto(lesion, added) {
	const input = (id, text, more) => {
		const onchange = async ({ target }) => {
			const [photo] = target.files;
			target.value = ""; // so that the same photo can be chosen again
			const visit = photo && (await keep(lesion, photo));
			if (visit) added(visit.id);
		};
		return h("label.button.primary", { for: id }, h("input.hidden", { type: "file", id, onchange, ...more }), text);
	};
	return card(
		"add-photo",
		lesion.visit_count ? "Photograph it again" : "Add the first photo",
		"add-photo",
		h("p.quiet.small", "Through a dermatoscope, sharp and evenly lit, the lesion in the middle; each time from the same distance."),
		h("div.actions", input("visit-camera", "Take a photo", { accept: "image/*", capture: "environment" }), input("visit-file", "Choose a photo", { accept: "image/jpeg,image/png,image/webp,image/bmp,image/tiff" })),
	);
}

async function keep(lesion, photo) {
	const src = URL.createObjectURL(photo);
	const id = newId(); // made once: a second attempt stores nothing twice
	const status = h("div", { role: "status" });
	const preview = h("img.preview", { src, alt: "The chosen photo", onerror: () => preview.remove() });
	const save = ({ taken_at: at, note }) => {
		status.append("Sending and analysing the photo…", h("div.progress"));
		return visits.add(lesion.id, photo, { id, taken_at: fromLocal(at), note }).finally(() => status.replaceChildren());
	};
	const visit = await fill({ title: "Keep this photo", lead: h("div", preview, status), fields: visitFields(photo.lastModified), confirm: "Keep", save });
	URL.revokeObjectURL(src);
	if (visit) toast(visit.analyses.length ? "The photo is kept." : `The photo is kept, but not analysed yet. ${visit.not_analysed ?? ""}`);
	return visit;
}
