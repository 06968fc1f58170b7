import { call } from "./api.js";

const query = (values) => `?${new URLSearchParams(Object.entries(values).filter(([, value]) => value != null))}`;
const post = (path, json) => call(`v1/${path}`, { method: "POST", json });

const records = (kind) => ({
	get: (id) => call(`v1/${kind}/${id}`),
	async list(values = {}) {
		const items = [];
		for (;;) {
			const page = await call(`v1/${kind}${query({ ...values, offset: items.length, limit: 500 })}`);
			items.push(...page.items);
			if (items.length >= page.total || !page.items.length) return items;
		}
	},
	change: (id, json) => call(`v1/${kind}/${id}`, { method: "PATCH", json }),
	remove: (id) => call(`v1/${kind}/${id}`, { method: "DELETE" }),
	undelete: (id) => post(`${kind}/${id}/undelete`),
	erase: (id) => post(`${kind}/${id}/erase`),
});

export const people = { ...records("people"), create: (json) => post("people", json) };

export const lesions = {
	...records("lesions"),
	create: (personId, json) => post(`people/${personId}/lesions`, json),
	near: async (place) => (await call(`v1/lesions/near${query(place)}`)).items.map(({ lesion }) => lesion),
	timeline: (id) => call(`v1/lesions/${id}/timeline`),
};

export const visits = {
	...records("visits"),
	/** `fields.id` is the caller's: a second attempt stores nothing twice. */
	add(lesionId, photo, fields) {
		const body = new FormData();
		body.append("file", photo, "photo"); // its name can tell who is on it
		for (const [name, value] of Object.entries(fields)) body.append(name, value);
		return call(`v1/lesions/${lesionId}/visits`, { method: "POST", body });
	},
	analyse: (id) => post(`visits/${id}/analyses`),
};

export const photoUrl = (visitId, side) => `v1/visits/${visitId}/photo?side=${side}`;

export const mapsOf = (analysisId, signal) => call(`v1/analyses/${analysisId}/maps?maps=all`, { signal });
export const compare = (before, after) => call(`v1/comparisons${query({ before, after })}`);
