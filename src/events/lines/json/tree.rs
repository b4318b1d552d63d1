//! Members of a JSON object, put together from paths.

use super::text_of;
use crate::openwhisk::record::write_json_string;
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
    pub(super) fn members(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        text_of(out)
    }

    pub(super) fn object(&self) -> String {
        let mut out = Vec::new();
        self.write_object(&mut out);
        text_of(out)
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (name, node) in self.0.iter() {
            out.push(b',');
            write_json_string(name, out);
            out.push(b':');
            match node {
                Node::Leaf(json) => out.extend_from_slice(json.as_bytes()),
                Node::Group(tree) => tree.write_object(out),
            }
        }
    }

    fn write_object(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        self.write(out);
        // The brace takes the place of the first member's comma.
        match out.get_mut(begin) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
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
