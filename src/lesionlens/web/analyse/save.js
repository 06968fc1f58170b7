import { openRecords } from "../access.js";
import { newId } from "../api.js";
import { fromLocal } from "../body/dates.js";
import { inWords } from "../body/failure.js";
import { fill, select } from "../body/form.js";
import { chosen } from "../body/people.js";
import { places, VIEWS } from "../body/places.js";
import { ask } from "../dialog.js";
import { visitFields } from "../lesion/add.js";
import { changed, discard, exclusively, passing, put, send } from "../outbox.js";
import { toast } from "../toast.js";
import { lesions, people } from "../tracker-api.js";

const LAST = ", last photographed ";

/** Ask which lesion a photo shows, and keep it there. @param {File|Blob} photo */
export async function saveToLesion(photo) {
	try {
		await openRecords();
		await choose(photo, await people.list());
	} catch (error) {
		await ask({ title: "Saving is not possible now", body: `${inWords(error)} The analysis itself is not touched by this.`, cancel: false });
	}
}

async function choose(photo, known) {
	const ids = { visit: newId(), person: newId(), lesion: newId() }; // made once: a second attempt keeps nothing twice
	const first = chosen.get(known)?.id;
	const done = fill({
		title: "Save to a lesion",
		fields: [
			{ name: "person", label: "Whose lesion is it?", value: first, options: [...known.map(({ id, label }) => [id, label]), ["", "Someone new…"]] },
			{ name: "label", label: "What shall they be called? No full name is needed.", more: { maxlength: 100 } },
			{ name: "lesion", label: "Which lesion?", options: await lesionsOf(first) },
			{ name: "view", label: "Part of the body", options: Object.entries(VIEWS) },
			{ name: "site", label: "Place", options: [] },
			...visitFields(photo.lastModified ?? Date.now(), ""),
		],
		save: async (values) => keep(await entry(photo, ids, values)).then(() => chosen.set(values.person ?? ids.person)),
	});
	const { person, label, lesion, view, site } = document.querySelector("dialog form").elements;
	const submit = person.form.querySelector(".primary");
	const show = (control, shown) => (control.parentNode.hidden = !shown);
	const offer = (control, options) => {
		control.replaceChildren(...select({}, options).children);
		control.selectedIndex = 0;
		show(label, (label.required = !person.value));
		for (const other of [view, site]) show(other, !lesion.value);
	};
	view.onchange = () => offer(site, places(view.value).map(({ name }, i) => [i, name]));
	lesion.onchange = view.onchange;
	person.onchange = async () => {
		const id = person.value;
		submit.disabled = true; // or the photo would go to a lesion that nobody has seen chosen
		try {
			const theirs = await lesionsOf(id);
			if (id !== person.value) return; // somebody else was chosen meanwhile
			offer(lesion, theirs);
			submit.disabled = false;
		} catch (error) {
			toast(inWords(error));
		}
	};
	lesion.selectedIndex = 0;
	view.onchange();
	await done;
}

const describe = ({ site, view, last_visit_at: last }) => (site || VIEWS[view]) + (last ? LAST + new Date(last).toLocaleDateString() : "");

/** A choice of a person's lesions, and of a new one. */
async function lesionsOf(person) {
	const theirs = person ? await lesions.list({ person_id: person }) : [];
	return [...theirs.map((one) => [one.id, describe(one)]), ["", "A lesion that is not there yet…"]];
}

/** What is to be sent, with the person and the lesion before it where they are new. */
async function entry(photo, ids, { person, label, lesion, view, site, taken_at: taken, note }) {
	const { name, x, y } = places(view)[site];
	const steps = [];
	if (!person) steps.push({ path: "v1/people", made: "v1/people", json: { id: ids.person, label } });
	if (!lesion) steps.push({ path: `v1/people/${person ?? ids.person}/lesions`, made: "v1/lesions", json: { id: ids.lesion, view, x, y, site: name } });
	const called = lesion ? document.querySelector("#field-lesion").selectedOptions[0].text.split(LAST)[0] : name;
	const fields = { taken_at: fromLocal(taken), note };
	return { id: ids.visit, label: called, added: Date.now(), steps, lesion: lesion ?? ids.lesion, fields, type: photo.type, bytes: await photo.arrayBuffer() };
}

/** Put the photo where it cannot be lost, then send it. A failure that passes leaves it there; any other is told. */
async function keep(entry) {
	const stored = await put(entry).then(() => true, () => false); // a private window may have no database
	try {
		await exclusively(() => send(entry));
	} catch (error) {
		if (!stored) throw error;
		if (!passing(error)) {
			await discard(entry.id); // the dialog still has it
			throw error;
		}
		changed();
		return toast("Not sent yet. The photo waits on this device and is sent as soon as the service answers.");
	}
	if (stored) await discard(entry.id);
	toast(`Saved to ${entry.label}.`, { action: "Show", onaction: () => (location.hash = `#/lesions/${entry.lesion}`) });
}
