import { call } from "../api.js";

const AT_ONCE = 2; // one photo is uploaded while the service computes the other

/** Analyses many photos. One that has no answer stops nothing; a service that is gone only pauses it. */
export class Job {
	/** `{path, file, state, analysis, error}`; state is Waiting, Working, Done, Failed or Cancelled. */
	items = [];
	/** "idle", "running" or "paused", and why nothing moves. */
	state = "idle";
	note = "";
	#workers = 0;
	#abort = new AbortController();
	#tell;

	/** `tell(item)` is called when a photo has changed, `tell()` when the job has. */
	constructor(tell) {
		this.#tell = tell;
	}

	add(files) {
		this.items.push(...files);
		this.#turn([undefined], "Waiting");
		if (this.state !== "paused") this.resume();
	}

	resume() {
		this.#enter("running");
		for (let i = this.#workers; i < AT_ONCE; i++) this.#work();
	}

	/** Photos under way are finished. */
	pause(note) {
		this.#enter("paused", note);
	}

	cancel() {
		this.#abort.abort();
		this.#abort = new AbortController();
		this.#turn(["Waiting"], "Cancelled");
		this.#enter("idle");
	}

	retry() {
		this.#turn(["Failed", "Cancelled"], "Waiting");
		this.resume();
	}

	async #work() {
		this.#workers++;
		const next = () => this.state === "running" && this.items.find(({ state }) => state === "Waiting");
		for (let item; (item = next()); ) await this.#analyse(item, this.#abort.signal);
		if (--this.#workers === 0 && this.state === "running") this.#enter("idle");
	}

	async #analyse(item, signal) {
		this.#settle(item, "Working");
		const body = new FormData();
		try {
			// Read before it is sent, or a file that is gone would look like a lost connection. Its name can tell who is on it.
			body.append("file", new Blob([await item.file.arrayBuffer()]), "photo");
		} catch {
			return this.#settle(item, "Failed", { error: "The file cannot be read; was it moved or changed?" });
		}
		while (this.state === "running" && !signal.aborted) {
			try {
				const analysis = await call("v1/analyses", { method: "POST", body, signal });
				this.note = "";
				return this.#settle(item, "Done", { analysis });
			} catch ({ status, message, retryAfter }) {
				if (signal.aborted) break;
				if ([0, 502, 504].includes(status)) this.pause("The service cannot be reached. No photo is lost: check the connection, then resume.");
				else if (status !== 503 && status !== 429) return this.#settle(item, "Failed", { error: message });
				if (this.state !== "running") break;
				const seconds = Math.min(60, retryAfter || 2);
				this.#enter("running", `The service is busy; the page tries again in ${seconds} s.`);
				await new Promise((done) => (setTimeout(done, 1000 * seconds), signal.addEventListener("abort", done)));
			}
		}
		this.#settle(item, signal.aborted ? "Cancelled" : "Waiting");
	}

	#turn(from, to) {
		for (const item of this.items) if (from.includes(item.state)) this.#settle(item, to);
	}

	#settle(item, state, told) {
		this.#tell(Object.assign(item, { error: undefined, state }, told));
	}

	#enter(state, note = "") {
		Object.assign(this, { state, note });
		this.#tell();
	}
}
