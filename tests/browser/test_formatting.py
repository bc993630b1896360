"""Formatting in a real browser: untrusted text is text, and a button that jumps to a line brings it into view."""

import json
import re

from playwright.sync_api import Page, expect

NAME = "a@b.example www.x.example http://e.example -> :smile: :material/home: a\\@b.example"
BODY = {
    "track": [
        {
            "name": "Added to cart",
            "payload": [
                {"eventId": f"e{n}", "userId": "u", "data": {"productID" if n == 9 else "productId": "S"}}
                for n in range(20)
            ],
        }
    ]
}


def test_a_text_that_looks_like_addresses_is_shown_as_it_is_and_links_nowhere(page: Page) -> None:
    header = f'eventId,userId,productId,timestamp,name,"{NAME}"\n'
    page.goto("/upload")
    page.locator("input[type=file]").first.set_input_files(
        {
            "name": "odd.csv",
            "mimeType": "text/csv",
            "buffer": (header + "e1,u,S,1714631904000,Product viewed,x\n").encode(),
        }
    )
    label = page.locator("label", has_text="a@b.example")
    expect(label.first).to_have_text(f"Field of {NAME}")
    expect(label.locator("a, img, [data-testid=stIconMaterial]")).to_have_count(0)


def test_on_a_narrow_screen_jump_to_line_leads_to_the_place_below_the_header(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto("/inspect")
    page.locator(".st-key-inspect-paste textarea").fill(json.dumps(BODY, indent=2))
    page.locator(".st-key-inspect-read button").click()
    page.locator("[class*=st-key-inspect-go] button").first.click()
    line = page.locator("li.focused")
    expect(line).to_contain_text(re.compile("productID"))
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.focused')).some(line => {
            const {top, bottom, left} = line?.getBoundingClientRect() ?? {};
            const drawn = line && document.elementFromPoint(left + 5, (top + bottom) / 2);
            return drawn && drawn.shadowRoot?.contains(line);
        })"""
    )
