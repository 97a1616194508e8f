// The form of a schedule: says in words when the chosen crontab runs.
"use strict";
{
  const texts = JSON.parse(document.getElementById("readable-crontabs").textContent);
  const field = document.querySelector(".field-crontab");
  const choice = document.getElementById("id_crontab");
  const said = document.createElement("p");
  said.className = "help";
  const say = () => { said.textContent = texts[choice.value] ?? ""; };
  document.querySelector(".field-crontab_translation")?.setAttribute("hidden", "");
  if (field && choice) {
    field.append(said);
    choice.addEventListener("change", say);
    say();
  }
}
