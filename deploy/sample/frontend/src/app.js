document.getElementById("status").textContent = `Ready since ${new Date().toLocaleTimeString()}.`;
