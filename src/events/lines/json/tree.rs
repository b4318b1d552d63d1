//! Members of a JSON object, put together from paths.

use super::quoted;
use crate::sorted;

/// Objects within objects, from paths.
#[derive(Default)]
pub(super) struct Tree(sorted::Map<String, Node>);

enum Node {
    Leaf(String),
    Group(Tree),
}

impl Tree {
    /// Takes a member out, and gives the members of it.
    pub(super) fn take_members(&mut self, name: &str) -> String {
        self.0.remove(name).map(Node::members).unwrap_or_default()
    }

    /// Puts in a member under a name that may have dots.
    pub(super) fn put(&mut self, name: String, json: String) {
        self.0.insert(name, Node::Leaf(json));
    }

    /// Puts in a member at a path, whose parts are objects.
    pub(super) fn insert(&mut self, path: &str, json: String) {
        match path.split_once('.') {
            None => {
                self.0.insert(path.into(), Node::Leaf(json));
            }
            Some((group, rest)) => {
                if !self.0.contains_key(group) {
                    self.0.insert(group.into(), Node::Group(Self::default()));
                }
                if let Some(Node::Group(tree)) = self.0.get_mut(group) {
                    tree.insert(rest, json);
                }
            }
        }
    }

    /// The members, each with a comma before it.
    pub(super) fn members(self) -> String {
        let member = |(name, node): (String, Node)| {
            let json = match node {
                Node::Leaf(json) => json,
                Node::Group(tree) => tree.object(),
            };
            format!(",{}:{json}", quoted(&name))
        };
        self.0.into_iter().map(member).collect()
    }

    pub(super) fn object(self) -> String {
        let members = self.members();
        format!("{{{}}}", members.strip_prefix(',').unwrap_or_default())
    }
}

impl Node {
    fn members(self) -> String {
        match self {
            Self::Group(tree) => tree.members(),
            Self::Leaf(_) => String::new(),
        }
    }
}
