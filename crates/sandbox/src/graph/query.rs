//! Query options of the directory ("Use query parameters", "Advanced query capabilities on Microsoft Entra ID
//! objects"): `$select`, `$filter`, `$search`, `$top`, `$count`, `$orderby`, and the tokens of pages and delta.

use serde_json::Value;

use super::exchange::{Request, decode, encode};
use super::fault::Fault;
use super::filter::Filter;
use super::search::Search;

/// What a request asks of a collection or an object.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The properties to tell, in the order of the request. `None`: the usual ones.
    pub select: Option<Vec<String>>,
    /// Which objects.
    pub filter: Option<Filter>,
    /// Which objects, by words.
    pub search: Option<Search>,
    /// The most objects of one page.
    pub top: Option<usize>,
    /// How many there are is told as well.
    pub count: bool,
    /// The property by which objects are sorted, and whether the greatest comes first.
    pub order: Option<(String, bool)>,
    /// Where the page begins.
    pub skip_token: Option<String>,
    /// Where the changes begin.
    pub delta_token: Option<String>,
}

/// A kind of object and what the directory can do with its properties.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, such as `microsoft.graph.user`.
    pub name: &'static str,
    /// Every property that there is.
    pub properties: &'static [&'static str],
    /// Those that are told when none are selected.
    pub usual: &'static [&'static str],
    /// Those that `$filter` understands.
    pub filterable: &'static [&'static str],
    /// Those that `$search` understands.
    pub searchable: &'static [&'static str],
    /// Those that only one object by itself tells, from another service behind Graph.
    pub alone: &'static [&'static str],
}

impl Query {
    /// Reads the options of a request for one object, of which only `$select` has a meaning.
    pub fn of_one(request: &Request, kind: &Kind) -> Result<Self, Fault> {
        let mut query = Self::default();
        for (name, value) in pairs(&request.query) {
            match name.as_str() {
                "$select" => query.select = Some(selected(&value, kind)?),
                "$expand" => {
                    return Err(Fault::UnsupportedQuery(format!("$expand={value} is not supported.")));
                }
                _ if name.starts_with('$') => {
                    return Err(Fault::UnsupportedQuery(format!(
                        "'{name}' is not supported by the service."
                    )));
                }
                _ => {}
            }
        }
        Ok(query)
    }

    /// Reads the options of a request for many.
    pub fn of_many(request: &Request, kind: &Kind) -> Result<Self, Fault> {
        let mut query = Self::default();
        let mut not_eq = false;
        for (name, value) in pairs(&request.query) {
            match name.as_str() {
                "$select" => query.select = Some(selected(&value, kind)?),
                "$filter" => {
                    let filter = Filter::parse(&value, kind)?;
                    not_eq = filter.is_advanced();
                    query.filter = Some(filter);
                }
                "$search" => query.search = Some(Search::parse(&value, kind)?),
                "$top" => match value.parse::<usize>() {
                    Ok(top @ 1..=TOP_MAX) => query.top = Some(top),
                    _ => {
                        return Err(Fault::Bad(format!(
                            "Invalid page size specified: '{value}'. Must be between 1 and {TOP_MAX} inclusive."
                        )));
                    }
                },
                "$count" => query.count = value.eq_ignore_ascii_case("true"),
                "$orderby" => query.order = Some(order(&value, kind)?),
                "$skiptoken" => query.skip_token = Some(value),
                "$deltatoken" => query.delta_token = Some(value),
                _ if name.starts_with('$') => {
                    return Err(Fault::UnsupportedQuery(format!(
                        "'{name}' is not supported by the service."
                    )));
                }
                _ => {}
            }
        }
        if query.select.iter().flatten().any(|name| kind.alone.contains(&name.as_str())) {
            return Err(Fault::Bad(
                "The selected properties are told of one object only, not of a collection.".to_owned(),
            ));
        }
        query.check_consistency(request.is_eventual(), not_eq)?;
        Ok(query)
    }

    fn check_consistency(&self, eventual: bool, advanced_filter: bool) -> Result<(), Fault> {
        let needs = |what: &str| {
            let text = format!(
                "Request with {what} query parameter only works through MSGraph with a special request header: \
                 'ConsistencyLevel: eventual'"
            );
            Err(Fault::UnsupportedQuery(text))
        };
        if self.search.is_some() && !eventual {
            return needs("$search");
        }
        if self.count && !eventual {
            return needs("$count");
        }
        let advanced = advanced_filter || (self.order.is_some() && self.filter.is_some());
        if advanced && !(eventual && self.count) {
            let text = "Operator is not supported because the required parameters might be missing. \
                        The query needs the header 'ConsistencyLevel: eventual' and $count=true.";
            return Err(Fault::UnsupportedQuery(text.to_owned()));
        }
        Ok(())
    }

    /// Those of `all` that are asked for, in the order that is asked for.
    pub fn choose(&self, all: impl Iterator<Item = Value>) -> Vec<Value> {
        let mut chosen: Vec<Value> = all
            .filter(|object| self.filter.as_ref().is_none_or(|filter| filter.fits(object)))
            .filter(|object| self.search.as_ref().is_none_or(|search| search.fits(object)))
            .collect();
        if let Some((property, backwards)) = &self.order {
            let key = |object: &Value| object.get(property).and_then(Value::as_str).map(str::to_lowercase);
            chosen.sort_by_key(key);
            if *backwards {
                chosen.reverse();
            }
        }
        chosen
    }

    /// What is told of an object.
    pub fn tell(&self, object: &Value, kind: &Kind) -> Value {
        let told = |name: &str| (name.to_owned(), object.get(name).cloned().unwrap_or(Value::Null));
        let mut map: serde_json::Map<String, Value> = match &self.select {
            None => kind.usual.iter().copied().map(told).collect(),
            Some(names) => names.iter().map(|name| told(name)).collect(),
        };
        // The id is told of directory objects even when it is not selected: the client needs it to go on.
        if !map.contains_key("id")
            && let Some(id) = object.get("id")
        {
            map.insert("id".to_owned(), id.clone());
        }
        Value::Object(map)
    }
}

/// The options of a request, decoded.
pub fn options(request: &Request) -> Vec<(String, String)> {
    pairs(&request.query)
}

/// The query of a link to another page: that of the request with this token in place of every other.
pub fn link(request: &Request, token: (&str, &str)) -> String {
    let kept = pairs(&request.query).into_iter();
    let kept = kept.filter(|(name, _)| name != "$skiptoken" && name != "$deltatoken");
    let mut link = format!("{}{}", request.base, request.path);
    let all = kept.chain(std::iter::once((token.0.to_owned(), token.1.to_owned())));
    for (n, (name, value)) in all.enumerate() {
        link.push(if n == 0 { '?' } else { '&' });
        link.push_str(&encode(&name));
        link.push('=');
        link.push_str(&encode(&value));
    }
    link
}

/// The pairs of a query, decoded, `+` as a blank. Names of options are known with and without their dollar sign.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(&name.replace('+', " "));
        let known = OPTIONS.iter().find(|option| option.trim_start_matches('$') == name.to_ascii_lowercase());
        (known.map_or(name, |option| (*option).to_owned()), decode(&value.replace('+', " ")))
    };
    query.split('&').filter(|part| !part.is_empty()).take(OPTIONS_MAX).map(pair).collect()
}

fn selected(value: &str, kind: &Kind) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known = kind.properties.iter().find(|property| property.eq_ignore_ascii_case(name));
        let Some(known) = known else {
            let text = format!("Could not find a property named '{name}' on type '{}'.", kind.name);
            return Err(Fault::Bad(format!("Parsing OData Select and Expand failed: {text}")));
        };
        if !names.iter().any(|other| other == known) {
            names.push((*known).to_owned());
        }
    }
    Ok(names)
}

fn order(value: &str, kind: &Kind) -> Result<(String, bool), Fault> {
    let (name, way) = value.trim().split_once(' ').unwrap_or((value.trim(), "asc"));
    let sortable = ["displayName", "userPrincipalName"].iter().find(|property| **property == name);
    match (sortable, way.trim()) {
        (Some(name), way @ ("asc" | "desc")) if kind.properties.contains(name) => {
            Ok(((*name).to_owned(), way == "desc"))
        }
        _ => Err(Fault::UnsupportedQuery(format!("Sorting by '{value}' is not supported."))),
    }
}

/// Options that are understood without their dollar sign too.
const OPTIONS: [&str; 8] =
    ["$select", "$filter", "$search", "$top", "$count", "$orderby", "$skiptoken", "$deltatoken"];
/// No request has so many; further ones are not looked at.
const OPTIONS_MAX: usize = 32;
/// The greatest page of the directory.
pub const TOP_MAX: usize = 999;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::people::USER;
    use super::*;

    fn request(query: &str, eventual: bool) -> Request {
        let mut request = Request {
            query: query.to_owned(),
            base: "https://graph.microsoft.com/v1.0".to_owned(),
            path: "/users".to_owned(),
            ..Default::default()
        };
        if eventual {
            request.headers.insert("consistencylevel".to_owned(), "eventual".to_owned());
        }
        request
    }

    #[test]
    fn advanced_queries_need_the_header() {
        for query in [
            "$search=\"displayName:ann\"",
            "$count=true",
            "$filter=endswith(mail,'a')&$count=true",
            "$filter=displayName ne 'a'&$count=true",
            "$orderby=displayName&$filter=startswith(displayName,'a')&$count=true",
        ] {
            let told = Query::of_many(&request(query, false), &USER).unwrap_err();
            assert_eq!(told.code(), "Request_UnsupportedQuery", "{query}");
            assert!(Query::of_many(&request(query, true), &USER).is_ok(), "{query}");
        }
    }

    #[test]
    fn what_the_directory_does_not_do_is_a_bad_request() {
        for query in ["$skip=3", "$top=0", "$top=1000", "$select=nonsense", "$filter=x", "$select=id,skills"]
        {
            let told = Query::of_many(&request(query, true), &USER).unwrap_err();
            assert_eq!(told.status(), 400, "{query}");
        }
        assert!(Query::of_one(&request("$select=id,skills", false), &USER).is_ok());
    }

    #[test]
    fn a_link_keeps_the_options() {
        let request = request(
            "$select=id,displayName&$top=2&$skiptoken=old&$filter=startswith(displayName,'a%20b')",
            false,
        );
        assert_eq!(
            link(&request, ("$skiptoken", "new")),
            "https://graph.microsoft.com/v1.0/users?$select=id,displayName&$top=2\
             &$filter=startswith(displayName,'a%20b')&$skiptoken=new"
        );
    }

    #[test]
    fn only_what_is_selected_is_told() {
        let query = Query::of_many(&request("select=displayName", false), &USER).unwrap();
        let ann = json!({ "id": "1", "displayName": "Ann", "department": "Sales" });
        assert_eq!(query.tell(&ann, &USER), json!({ "id": "1", "displayName": "Ann" }));
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in ".{0,80}") {
            let _ = Query::of_many(&request(&query, true), &USER);
        }
    }
}
