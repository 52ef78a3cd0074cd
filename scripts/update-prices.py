#!/usr/bin/env python3
"""Makes src/pricing/prices.json, and docs/price-differences.md, from two well-kept collections of prices.

    python3 scripts/update-prices.py            # needs pip and the package registry; writes both files
    python3 scripts/update-prices.py --check    # fails where the files are not what these versions give

The prices are LiteLLM's (MIT), whose rows have each tier, long contexts, audio, images, seconds, characters and tools. genai-prices (MIT) is
read beside them: it has the models that LiteLLM lacks (OpenRouter's, and some that are no longer sold), and where the two differ on what a
token costs, the difference is listed, for a person to look at. Versions are pinned here.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timezone
from decimal import Decimal

LITELLM = "1.110.2"
GENAI_PRICES = "0.2.3"
DATE = "2026-11-30"
NOW = datetime.fromisoformat(DATE).replace(tzinfo=timezone.utc)

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRICES = ROOT / "src/pricing/prices.json"
DIFFERENCES = ROOT / "docs/price-differences.md"

# Our name of a provider: LiteLLM's, the prefixes that its names of models have there, and genai-prices' name.
PROVIDERS = {
    "openai": ("openai", [""], "openai"),
    "azure": ("azure", ["azure/"], "azure"),
    "anthropic": ("anthropic", [""], "anthropic"),
    "gemini": ("gemini", ["gemini/"], "google"),
    "groq": ("groq", ["groq/"], "groq"),
    "mistral": ("mistral", ["mistral/"], "mistral"),
    "deepseek": ("deepseek", ["deepseek/"], "deepseek"),
    "openrouter": ("openrouter", ["openrouter/"], "openrouter"),
    "together": ("together_ai", ["together_ai/"], "together"),
    "fireworks": ("fireworks_ai", ["fireworks_ai/"], "fireworks"),
    "xai": ("xai", ["xai/"], "x-ai"),
    "perplexity": ("perplexity", ["perplexity/"], "perplexity"),
    "cohere": ("cohere", [""], "cohere"),
    "cerebras": ("cerebras", ["cerebras/"], "cerebras"),
    "moonshot": ("moonshot", ["moonshot/"], "moonshotai"),
    "deepinfra": ("deepinfra", ["deepinfra/"], None),
    "nebius": ("nebius", ["nebius/"], None),
    "novita": ("novita", ["novita/"], "novita"),
    "minimax": ("minimax", ["minimax/"], None),
    "zai": ("zai", ["zai/"], None),
}

# Our name of a price: LiteLLM's for one unit, in dollars.
UNITS = {
    "input": "input_cost_per_token",
    "inputAudio": "input_cost_per_audio_token",
    "inputImage": "input_cost_per_image_token",
    "cached": "cache_read_input_token_cost",
    "cachedAudio": "cache_read_input_audio_token_cost",
    "cachedImage": "cache_read_input_image_token_cost",
    "cacheWrite": "cache_creation_input_token_cost",
    "cacheWrite1h": "cache_creation_input_token_cost_above_1hr",
    "cacheWrite12h": "cache_creation_input_token_cost_above_12hr",
    "output": "output_cost_per_token",
    "outputAudio": "output_cost_per_audio_token",
    "outputImage": "output_cost_per_image_token",
    "reasoning": "output_cost_per_reasoning_token",
    "image": "output_cost_per_image",
    "second": "input_cost_per_second",
    "character": "input_cost_per_character",
    "request": "input_cost_per_request",
}
# What a call of OpenAI's own tools costs, in nano-dollars, with each model whose row does not say it (https://openai.com/api/pricing).
OPENAI_TOOLS = {"webSearch": 10_000_000, "fileSearch": 2_500_000, "codeSession": 30_000_000}
TOOLS = {"openai": OPENAI_TOOLS, "azure": OPENAI_TOOLS}
# OpenAI's images by quality and size, in nano-dollars; rows of Azure's only are left of them (https://platform.openai.com/docs/pricing).
DALL_E = {
    "dall-e-2": {"standard/256x256": 16_000_000, "standard/512x512": 18_000_000, "standard/1024x1024": 20_000_000},
    "dall-e-3": {
        "standard/1024x1024": 40_000_000,
        "standard/1024x1792": 80_000_000,
        "standard/1792x1024": 80_000_000,
        "hd/1024x1024": 80_000_000,
        "hd/1024x1792": 120_000_000,
        "hd/1792x1024": 120_000_000,
    },
}
TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
LONG = re.compile(r"_above_(\d+)k_tokens(?=_|$)")
# An image's price by quality and size, as in "hd/1024-x-1792/dall-e-3".
IMAGE = re.compile(r"^(?:(low|medium|high|standard|hd)/)?(\d+)-x-(\d+)/(.+)$")


def nano(dollars) -> int | float:
    """Nano-dollars; a whole number where it is one."""
    return whole(Decimal(str(dollars)) * 1_000_000_000)


def whole(value: Decimal) -> int | float:
    """To a thousandth of a nano-dollar; above a micro-dollar to a whole one."""
    value = round(value) if value >= 1000 else round(value, 3)
    return int(value) if value == int(value) else float(value)


def price_list(row: dict, suffix: str) -> dict:
    return {
        ours: nano(row[theirs + suffix])
        for ours, theirs in UNITS.items()
        if isinstance(row.get(theirs + suffix), (int, float))
    }


def with_long_contexts(row: dict, suffix: str) -> dict:
    found = {"prices": price_list(row, suffix)}
    bounds = sorted({int(m.group(1)) for key in row if (m := LONG.search(key))}, reverse=True)
    long = []
    for bound in bounds:
        prices = price_list(row, f"_above_{bound}k_tokens{suffix}")
        # What a long context does not change costs what it costs in a short one.
        if prices:
            long.append({"aboveTokens": bound * 1000, "prices": {**found["prices"], **prices}})
    if long:
        found["longContext"] = long
    return found


def in_tier(prices: dict, of_tier: dict) -> dict:
    """What the tier's row does not say of tokens: a tier's discount or surcharge holds for all that is read, or written."""
    found = {}
    for direction, names in (("input", ("cached", "cacheWrite", "cacheWrite1h", "cacheWrite12h")), ("output", ("reasoning",))):
        if prices.get(direction) and direction in of_tier:
            ratio = Decimal(str(of_tier[direction])) / Decimal(str(prices[direction]))
            found.update({n: whole(Decimal(str(prices[n])) * ratio) for n in names if n in prices and n not in of_tier})
    return found


def model_price(row: dict) -> dict:
    found = with_long_contexts(row, "")
    prices = found["prices"]
    tools = row.get("search_context_cost_per_query")
    if isinstance(tools, dict) and isinstance(tools.get("search_context_size_medium"), (int, float)):
        prices["webSearch"] = nano(tools["search_context_size_medium"])
    if isinstance(row.get("file_search_cost_per_1k_calls"), (int, float)):
        prices["fileSearch"] = nano(Decimal(str(row["file_search_cost_per_1k_calls"])) / 1000)
    if isinstance(row.get("code_interpreter_cost_per_session"), (int, float)):
        prices["codeSession"] = nano(row["code_interpreter_cost_per_session"])
    tiers = {}
    for tier, suffix in TIERS.items():
        of_tier = with_long_contexts(row, suffix)
        if of_tier["prices"]:
            of_tier["prices"] = {**prices, **in_tier(prices, of_tier["prices"]), **of_tier["prices"]}
            for long in of_tier.get("longContext", []):
                long["prices"] = {**of_tier["prices"], **long["prices"]}
            tiers[tier] = of_tier
    if tiers:
        found["tiers"] = tiers
    for ours, theirs in (("outputTokensMax", "max_output_tokens"), ("contextTokensMax", "max_input_tokens")):
        if isinstance(row.get(theirs), int):
            found[ours] = row[theirs]
    return found


def rows_of(data: dict, provider: str, prefixes: list[str]) -> dict:
    models: dict[str, dict] = {}
    images: dict[str, dict[str, float]] = {}
    for name, row in data.items():
        if not isinstance(row, dict) or row.get("litellm_provider") != provider:
            continue
        prefix = max((p for p in prefixes if name.startswith(p)), key=len, default=None)
        if prefix is None:
            continue
        short = name[len(prefix):]
        by_size = IMAGE.match(short)
        if by_size:
            quality, width, height, model = by_size.groups()
            price = row.get("output_cost_per_image", row.get("input_cost_per_image"))
            if price is None and isinstance(row.get("input_cost_per_pixel"), (int, float)):
                price = Decimal(str(row["input_cost_per_pixel"])) * int(width) * int(height)
            if price is not None:
                images.setdefault(model, {})[f"{quality or 'standard'}/{width}x{height}"] = nano(price)
            continue
        price = model_price(row)
        if price["prices"]:
            models[short] = price
    for model, by in images.items():
        models.setdefault(model, {"prices": {}})["prices"]["imageBy"] = by
    return dict(sorted(models.items()))


# Our name of a price: genai-prices' for a million units, in dollars.
FILLED = {
    "input": "input_mtok",
    "inputAudio": "input_audio_mtok",
    "cached": "cache_read_mtok",
    "cachedAudio": "cache_audio_read_mtok",
    "cacheWrite": "cache_write_mtok",
    "output": "output_mtok",
    "outputAudio": "output_audio_mtok",
}
GOOGLES = re.compile(r"^(gemini|gemma|learnlm|imagen|veo|text-embedding|embedding)")
NAME = re.compile(r"^[\w./:@-]*[\w]$")


def filled_rows(providers, provider: str | None, known: dict) -> dict:
    """The models of genai-prices that LiteLLM has no row of."""
    found = next((p for p in providers if p.id == provider), None)
    rows = {}
    names = {name.lower() for name in known}
    for info in found.models if found else []:
        # Google's list has models of others as well, which its OpenAI endpoint does not serve.
        if provider == "google" and not GOOGLES.match(info.id):
            continue
        if info.id.lower() in names or not NAME.match(info.id) or info.id.startswith("ft:") or ".ft-" in info.id:
            continue
        prices, bounds = {}, {}
        told = info.get_prices(NOW).__dict__
        for ours, theirs in FILLED.items():
            value = told.get(theirs)
            if value is None:
                continue
            prices[ours] = whole(Decimal(str(getattr(value, "base", value))) * 1000)
            for tier in getattr(value, "tiers", []):
                bounds.setdefault(tier.start, {})[ours] = whole(Decimal(str(tier.price)) * 1000)
        if isinstance(told.get("requests_kcount"), Decimal):
            prices["request"] = whole(told["requests_kcount"] * 1_000_000)
        if "input" not in prices:
            continue
        row = {"prices": prices}
        if bounds:
            row["longContext"] = [
                {"aboveTokens": bound, "prices": {**prices, **bounds[bound]}} for bound in sorted(bounds, reverse=True)
            ]
        if isinstance(info.context_window, int):
            row["contextTokensMax"] = info.context_window
        rows[info.id] = row
    return rows


def genai_price(providers, provider: str | None, model: str) -> dict | None:
    found = next((p for p in providers if p.id == provider), None)
    info = found.find_model(model) if found else None
    if info is None:
        return None
    price = info.get_prices(NOW)
    base = lambda value: None if value is None else Decimal(getattr(value, "base", value)) * 1000
    return {"input": base(price.__dict__.get("input_mtok")), "output": base(price.__dict__.get("output_mtok"))}


def compare(providers: dict, others) -> tuple[int, list[str]]:
    """How many models both know, and a row of the page for each price that differs."""
    lines, compared = [], 0
    for ours, (_, _, theirs) in PROVIDERS.items():
        for model, price in providers[ours].items():
            other = genai_price(others, theirs, model)
            if other is None or "input" not in price["prices"]:
                continue
            compared += 1
            for unit in ("input", "output"):
                mine, yours = price["prices"].get(unit), other[unit]
                if mine is not None and yours is not None and Decimal(str(mine)) != yours:
                    lines.append(f"| {ours} | `{model}` | {unit} | {mine / 1000:g} | {float(yours) / 1000:g} |")
    return compared, lines


def pip(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)


def unpack(folder: pathlib.Path) -> tuple[dict, list]:
    pip("download", "--no-deps", "-d", str(folder), f"litellm=={LITELLM}")
    pip("install", "--target", str(folder / "packages"), f"genai-prices=={GENAI_PRICES}")
    wheel = next(folder.glob("litellm-*.whl"))
    data = json.loads(zipfile.ZipFile(wheel).read("litellm/model_prices_and_context_window_backup.json"))
    sys.path.insert(0, str(folder / "packages"))
    from genai_prices.data import providers

    return data, providers


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        data, others = unpack(pathlib.Path(name))
    providers = {ours: rows_of(data, theirs, prefixes) for ours, (theirs, prefixes, _) in PROVIDERS.items()}
    compared, lines = compare(providers, others)
    for ours, (_, _, theirs) in PROVIDERS.items():
        providers[ours] = dict(sorted({**providers[ours], **filled_rows(others, theirs, providers[ours])}.items()))
    for model, images in DALL_E.items():
        providers["openai"].setdefault(model, {"prices": {"imageBy": images}})
    table = {
        "date": DATE,
        "sources": [f"LiteLLM {LITELLM} (MIT)", f"genai-prices {GENAI_PRICES} (MIT): compared, and where LiteLLM has no row"],
        "tools": TOOLS,
        "providers": providers,
    }
    body = ",\n".join(
        f'{json.dumps(provider)}: {{\n' + ",\n".join(f"{json.dumps(m)}: {json.dumps(p, separators=(',', ':'))}" for m, p in models.items()) + "\n}"
        for provider, models in table["providers"].items()
    )
    text = f'{{\n"date": {json.dumps(DATE)},\n"sources": {json.dumps(table["sources"])},\n"tools": {json.dumps(TOOLS)},\n"providers": {{\n{body}\n}}\n}}\n'

    page = f"""# Where two price lists differ

Made by `scripts/update-prices.py`. NexCode's prices are LiteLLM's {LITELLM}; genai-prices {GENAI_PRICES} is compared: dollars for a million
tokens, {compared} models that both know. Set `prices:` in `nexcode.yaml` where your invoice says something else.

| Provider | Model | Price | LiteLLM | genai-prices |
|---|---|---|---|---|
""" + "\n".join(lines) + "\n"

    if "--check" in sys.argv[1:]:
        # The formatter breaks the lines of the table in its own way, so its content is compared.
        is_same = {PRICES: json.loads(PRICES.read_text()) == json.loads(text), DIFFERENCES: DIFFERENCES.read_text() == page}
        stale = [str(path.relative_to(ROOT)) for path, same in is_same.items() if not same]
        print("\n".join(f"{name} is not what the pinned versions give" for name in stale) or "prices are as the pinned versions give them")
        return 1 if stale else 0
    PRICES.write_text(text)
    DIFFERENCES.write_text(page)
    print(f"{sum(map(len, providers.values()))} models of {len(providers)} providers; {compared} compared, {len(lines)} differences")
    return 0


sys.exit(main())
