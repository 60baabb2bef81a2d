//! What every page has around its parts: title, links to the parts, style and script.

use serde_json::Value;

use crate::report::chart::page_colours;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A part of a page: how it is found, its heading, and what is in it; left out if that is nothing.
pub(super) type Part = (&'static str, &'static str, String);

/// A page without what is particular to it.
pub(super) struct Frame {
    /// Escaped, as all that follows.
    pub(super) title: String,
    /// What stands below the title.
    pub(super) about: String,
    pub(super) parts: Vec<Part>,
    /// The numbers that the script draws; a page without has no script.
    pub(super) data: Option<Value>,
    /// Whether it is loaded again every two seconds.
    pub(super) refreshing: bool,
}

impl Frame {
    pub(super) fn to_html(&self) -> String {
        let title = &self.title;
        let parts = || self.parts.iter().filter(|(.., text)| !text.is_empty());
        let links: String = parts()
            .map(|(id, heading, _)| format!("<a href='#{id}'>{heading}</a>"))
            .collect();
        let sections: String = parts()
            .map(|(id, heading, text)| {
                format!("<section id={id}><h2>{heading}</h2>\n{text}</section>\n")
            })
            .collect();
        let refresh = if self.refreshing {
            "<meta http-equiv=refresh content=2>\n"
        } else {
            ""
        };
        let script = self.data.as_ref().map_or_else(String::new, |data| {
            let data = data.to_string().replace('<', "\\u003c");
            format!(
                "<script type='application/json' id=data>{data}</script>\n<script>{SCRIPT}</script>\n"
            )
        });
        format!(
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n\
             <meta name=viewport content='width=device-width,initial-scale=1'>\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline';img-src data:\">\n\
             {refresh}<title>{title}</title>\n<style>{}{STYLE}</style></head>\n<body>\n\
             <header><h1>{title}</h1>\n{}<nav aria-label='Parts of this page'>{links}</nav>\n</header>\n<main>\n{sections}</main>\n\
             {script}</body></html>\n",
            page_colours(),
            self.about
        )
    }
}
