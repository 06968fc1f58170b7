import { people } from "../tracker-api.js";
import { remove } from "./failure.js";
import { fill } from "./form.js";

const KEY = "lesionlens.person";
const SEXES = [["", "Not said"], ["female", "Female"], ["male", "Male"], ["other", "Other"]];
// Fitzpatrick 1988, Arch Dermatol 124:869–871.
const SKIN = ["Not said", "I – always burns, never tans", "II – usually burns, tans a little", "III – sometimes burns, tans", "IV – rarely burns, tans easily", "V – brown skin", "VI – dark brown or black skin"];

const FIELDS = [
	{ name: "label", label: "Name or nickname", help: "Whatever tells people apart; a real name is not needed.", more: { required: true, maxlength: 100 } },
	{ name: "birth_year", label: "Year of birth, if you like", numeric: true, more: { min: 1880, max: new Date().getFullYear() } },
	{ name: "sex", label: "Sex, if you like", options: SEXES },
	{ name: "skin_type", label: "Skin type, if you know it", numeric: true, options: SKIN.map((text, i) => [i || "", text]) },
	{ name: "note", label: "Note", type: "textarea" },
];

export const addPerson = () => fill({ title: "New person", fields: FIELDS, confirm: "Add", save: people.create });

export async function editPerson(person, changed) {
	const { id, label } = person;
	const done = await fill({ title: `Edit ${label}`, fields: FIELDS, values: person, other: "Delete", save: (values) => people.change(id, values) });
	if (done === "Delete") remove(people, id, `${label} was deleted, with all lesions.`, changed);
	else if (done) changed();
}

/** The person shown, remembered in this browser. */
export const chosen = {
	get: (list) => list.find(({ id }) => id === localStorage.getItem(KEY)) ?? list[0],
	set: (id) => localStorage.setItem(KEY, id),
};
