"use strict";
(async function () {
  const root = document.getElementById("viewer");
  if (!root) return;
  const message = document.getElementById("viewer-message");
  const canvas = document.getElementById("viewer-canvas");

  function fail(error) {
    root.dataset.state = "failed";
    message.hidden = false;
    message.textContent =
      "The interactive viewer could not start (" + (error && error.message ? error.message : error) +
      "). It needs WebGL 2, which every current browser has unless it is switched off. The pictures below show the same.";
  }

  function bytes(text) {
    return "data:application/octet-stream;base64," + text;
  }

  try {
    const data = JSON.parse(document.getElementById("viewer-data").textContent);
    const nv = new niivue.Niivue({
      backColor: [1, 1, 1, 1],
      show3Dcrosshair: false,
      isOrientCube: true,
      dragAndDropEnabled: false,
      isColorbar: false,
      loadingText: "",
      logLevel: "error",
    });
    await nv.attachToCanvas(canvas);
    for (const [name, table] of Object.entries(data.colormaps)) {
      nv.addColormap(name, {
        R: table.map((c) => c[0]), G: table.map((c) => c[1]), B: table.map((c) => c[2]),
        A: table.map(() => 255), I: table.map((c, i) => i),
      });
    }
    await nv.loadMeshes(data.surfaces.map((surface, index) => ({
      url: bytes(surface.mesh),
      name: "surface" + index + ".mz3",
      rgba255: [186, 186, 186, 255],
      layers: surface.overlays.map((overlay, number) => ({
        url: bytes(overlay.values),
        name: "overlay" + index + "-" + number + ".mz3",
        colormap: overlay.colormap,
        cal_min: 0,
        cal_max: 255,
        opacity: 0,
      })),
    })));
    const byName = data.surfaces.map((_, index) => nv.meshes.find((mesh) => mesh.name === "surface" + index + ".mz3"));
    if (byName.some((mesh) => !mesh)) throw new Error("a surface could not be read");

    // the shader whose colours stay closest to the colour bar
    byName.forEach((mesh) => nv.setMeshShader(mesh.id, "Harmonic"));

    const boxes = document.getElementById("viewer-surfaces");
    const choice = document.getElementById("viewer-overlay");
    const bars = document.getElementById("viewer-bars");

    data.surfaces.forEach((surface, index) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = surface.group === data.surfaces[0].group;
      box.addEventListener("change", update);
      label.append(box, " " + surface.name);
      boxes.append(label);
      surface.box = box;
      byName[index].layers.forEach((layer) => { layer.isTransparentBelowCalMin = true; });
    });
    data.overlays.forEach((name) => choice.add(new Option(name, name)));
    choice.add(new Option("surface only", ""));
    choice.addEventListener("change", update);

    function short(value) {
      const text = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 || value === 0
        ? String(Number(value.toPrecision(3))) : value.toExponential(1);
      return text.replace("-", "\u2212");
    }

    function drawBar(overlay, owner) {
      const table = data.colormaps[overlay.colormap];
      const stops = table.filter((_, i) => i % 15 === 0).map((c) => "rgb(" + c.join(",") + ")");
      const bar = document.createElement("div");
      bar.className = "bar";
      const title = document.createElement("span");
      title.className = "bar-title";
      title.textContent = owner + ": " + overlay.name + (overlay.units ? " (" + overlay.units + ")" : "");
      const strip = document.createElement("span");
      strip.className = "bar-strip";
      strip.style.background = "linear-gradient(to right," + stops.join(",") + ")";
      const low = document.createElement("span");
      low.textContent = short(overlay.low);
      const high = document.createElement("span");
      high.textContent = short(overlay.high);
      bar.append(title, low, strip, high);
      bars.append(bar);
    }

    function update() {
      bars.replaceChildren();
      const shown = new Set();
      data.surfaces.forEach((surface, index) => {
        const mesh = byName[index];
        mesh.visible = surface.box.checked;
        surface.overlays.forEach((overlay, number) => {
          const on = overlay.name === choice.value;
          mesh.layers[number].opacity = on ? 1 : 0;
          if (on && mesh.visible && !shown.has(surface.group)) {
            shown.add(surface.group);
            drawBar(overlay, surface.group);
          }
        });
        mesh.updateMesh(nv.gl);
      });
      nv.drawScene();
    }

    root.querySelectorAll("button[data-azimuth]").forEach((button) => {
      button.addEventListener("click", () => {
        nv.setRenderAzimuthElevation(Number(button.dataset.azimuth), Number(button.dataset.elevation));
      });
    });
    nv.setRenderAzimuthElevation(Number(root.dataset.azimuth), Number(root.dataset.elevation));
    update();
    message.hidden = true;
    root.dataset.state = "ready";
  } catch (error) {
    fail(error);
  }
})();
