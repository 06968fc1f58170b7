import { openDialog } from "../dialog.js";
import { button, h, sheet } from "../dom.js";

// The most that cameras give: each browser takes what is nearest.
const WANTED = { video: { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 3072 } }, audio: false };
const TROUBLE = {
	NotAllowedError: "The browser may not use the camera. Allow it in the site's settings, then try again.",
	NotFoundError: "No camera was found.",
};

/** Take a photo, with a ring for the lesion; resolves to a File, or to undefined. */
export async function takePhoto() {
	const said = h("p.quiet", { role: "status" }, "Starting the camera…");
	const video = h("video", { playsinline: true, "aria-label": "What the camera sees" });
	video.muted = true;
	const ring = h("span.ring", { "aria-hidden": "true" });
	const finder = h("div.viewfinder", { hidden: true }, video, ring);
	const shoot = button("Take the photo", () => take(), "primary", { disabled: true });
	const use = button("Use this photo", () => close(taken), "primary", { hidden: true });
	const retake = button("Take another", () => review(null), "", { hidden: true });
	const title = "Take a photo";
	const actions = h("div.actions", button("Cancel", () => close()), retake, shoot, use);
	const { close, closed } = openDialog(sheet(title, finder, said, actions), { label: title });
	let track;
	let taken = null;
	let open = true;

	function review(photo) {
		const picture = finder.querySelector("img");
		if (picture) URL.revokeObjectURL(picture.src);
		picture?.remove();
		taken = photo;
		if (photo) finder.append(h("img", { src: URL.createObjectURL(photo), alt: "The photo that was taken" }));
		for (const shown of [use, retake]) shown.hidden = !photo;
		for (const shown of [shoot, video, ring]) shown.hidden = Boolean(photo);
		said.textContent = photo ? "Is it sharp, evenly lit, and in the middle?" : "Fill the ring with the lesion. Hold still; come closer only as far as it stays sharp.";
		(photo ? use : shoot).focus();
	}

	async function take() {
		shoot.disabled = true;
		const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
		canvas.getContext("2d").drawImage(video, 0, 0);
		const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
		shoot.disabled = false;
		if (open) review(new File([blob], "camera.jpg", { type: blob.type }));
	}

	closed.then(() => {
		open = false;
		track?.stop();
		review(null);
	});
	try {
		const stream = await navigator.mediaDevices.getUserMedia(WANTED);
		[track] = stream.getVideoTracks();
		if (!open) track.stop();
		video.srcObject = stream;
		await video.play();
		finder.hidden = shoot.disabled = false;
		if (open) review(null);
	} catch (error) {
		said.textContent = TROUBLE[error.name] ?? `The camera cannot be used: ${error.message}`;
	}
	return closed;
}
