// Photos that the service has not acknowledged wait in the browser's database.
import { call } from "./api.js";
import { visits } from "./tracker-api.js";

// An entry: {id, label, added, steps: [{path, made, json}], lesion, fields, type, bytes, problem}; its steps first make a
// new person or lesion.

const channel = new BroadcastChannel("lesionlens-outbox");
channel.onmessage = () => document.dispatchEvent(new Event("outbox"));

/** Done when it is on the disk, as far as the browser says. */
async function transact(mode, act) {
	const opening = indexedDB.open("lesionlens", 1);
	opening.onupgradeneeded = () => opening.result.createObjectStore("waiting", { keyPath: "id" });
	await new Promise((done, fail) => Object.assign(opening, { onsuccess: done, onerror: fail }));
	const transaction = opening.result.transaction("waiting", mode, { durability: "strict" });
	const request = act(transaction.objectStore("waiting"));
	opening.result.close(); // once the transaction is done
	await new Promise((done, fail) => Object.assign(transaction, { oncomplete: done, onabort: fail }));
	return request.result;
}

/** Tell all tabs. */
export function changed() {
	channel.onmessage();
	channel.postMessage("changed");
}

/** The oldest first; without a database nothing can wait. */
export const waiting = () => transact("readonly", (store) => store.getAll()).then((entries) => entries.sort((a, b) => a.added - b.added), () => []);

/** Nobody is told: it may be on its way at once. */
export const put = (entry) => transact("readwrite", (store) => store.put(entry));

export const discard = (id) => transact("readwrite", (store) => store.delete(id)).then(changed);

/** Sending again what did arrive changes nothing. */
export async function send({ id, steps, lesion, fields, type, bytes }) {
	for (const { path, json, made } of steps) {
		await call(path, { method: "POST", json }).catch((error) => {
			if (error.status !== 409) throw error;
			return call(`${made}/${json.id}`); // made by the first attempt, or this fails
		});
	}
	await visits.add(lesion, new Blob([bytes], { type }), { id, ...fields });
}

/** Whether trying again later may help. */
export const passing = ({ status = 0 }) => status === 0 || status >= 500 || [401, 408, 429].includes(status);

/** Over plain HTTP there are no locks: the ids still keep doubles away. */
export const exclusively = (work) => (navigator.locks ? navigator.locks.request("lesionlens-outbox", work) : work());

/** Send what waits, up to the first failure that passes. */
export const flush = () =>
	exclusively(async () => {
		let sent = 0;
		for (const entry of await waiting()) {
			if (entry.problem) continue;
			try {
				await send(entry);
				await discard(entry.id);
				sent += 1;
			} catch (error) {
				if (!error.title) throw error;
				if (passing(error)) break;
				await put({ ...entry, problem: `${error.title}. ${error.message}` });
				changed();
			}
		}
		return sent;
	});
