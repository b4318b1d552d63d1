//! A map as a list in the order of its keys.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::slice;
use std::vec;

/// A map of few entries, or of entries that come in the order of their keys: an entry that belongs among thousands moves those after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Map<K, V> {
    entries: Vec<(K, V)>,
}

impl<K: Ord, V> Map<K, V> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Most are made in order.
        if self.entries.last().is_none_or(|(last, _)| last.borrow() < key) {
            return Err(self.entries.len());
        }
        self.entries.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Whether a key has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Sets the value of a key; returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => self.entries.get_mut(place).map(|(_, known)| std::mem::replace(known, value)),
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes out the value of a key.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// The entries with keys from `first` to `last`, in order.
    pub fn range<'m>(
        &'m self,
        first: &K,
        last: &K,
    ) -> impl DoubleEndedIterator<Item = (&'m K, &'m V)> + use<'m, K, V> {
        let (begin, end) = (self.before(|key| key < first), self.before(|key| key <= last));
        self.entries.get(begin..end).unwrap_or_default().iter().map(|(key, value)| (key, value))
    }

    /// The value of the last key up to `last`.
    pub fn last_up_to(&self, last: &K) -> Option<&V> {
        let place = self.before(|key| key <= last).checked_sub(1)?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// The value of the last key up to `last`, to be changed.
    pub fn last_up_to_mut(&mut self, last: &K) -> Option<&mut V> {
        let place = self.before(|key| key <= last).checked_sub(1)?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// How many of the first keys are so.
    fn before(&self, is_so: impl Fn(&K) -> bool) -> usize {
        self.entries.partition_point(|(key, _)| is_so(key))
    }

    /// Changes the value of a key, which is the default if it has none.
    pub fn change(&mut self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        match self.place(&key) {
            Ok(place) => {
                if let Some((_, value)) = self.entries.get_mut(place) {
                    change(value);
                }
            }
            Err(place) => {
                let mut value = V::default();
                change(&mut value);
                self.entries.insert(place, (key, value));
            }
        }
    }
}

impl<K, V> Map<K, V> {
    /// Takes all out.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keeps the entries that are so.
    pub fn retain(&mut self, mut is_so: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| is_so(key, value));
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries, in the order of the keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// All entries, in the order of the keys, with values to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// All values, in the order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.entries.iter().map(|(_, value)| value)
    }

    /// All values, in the order of the keys, to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// All values, in the order of the keys.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> + ExactSizeIterator {
        self.entries.into_iter().map(|(_, value)| value)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

type Iter<'m, K, V> = std::iter::Map<slice::Iter<'m, (K, V)>, fn(&'m (K, V)) -> (&'m K, &'m V)>;
type IterMut<'m, K, V> = std::iter::Map<slice::IterMut<'m, (K, V)>, fn(&'m mut (K, V)) -> (&'m K, &'m mut V)>;

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m Map<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'m, K, V> IntoIterator for &'m mut Map<K, V> {
    type Item = (&'m K, &'m mut V);
    type IntoIter = IterMut<'m, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

/// The last value of a key counts.
impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Map<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = Map<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = entries.next_entry()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// For tests: shipped code asks whether a key is there.
#[cfg(any(test, not(target_os = "wasi")))]
impl<Q: Ord + ?Sized, K: Ord + Borrow<Q>, V> std::ops::Index<&Q> for Map<K, V> {
    type Output = V;

    #[allow(clippy::expect_used, reason = "as in the standard library's maps")]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the map has the key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_map_does_what_the_standard_librarys_does(steps: Vec<(u8, u8, u16)>) {
            let (mut ours, mut theirs) = (Map::new(), BTreeMap::new());
            for (what, key, value) in steps {
                let key = key % 16;
                match what % 4 {
                    0 => prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
                    1 => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    2 => {
                        ours.change(key, |known| *known ^= value);
                        *theirs.entry(key).or_default() ^= value;
                    }
                    _ => prop_assert_eq!(ours.get_mut(&key), theirs.get_mut(&key)),
                }
                prop_assert_eq!(ours.last_up_to(&key), theirs.range(..=key).next_back().map(|(_, value)| value));
                prop_assert_eq!(ours.last_up_to_mut(&key), theirs.range_mut(..=key).next_back().map(|(_, value)| value));
                prop_assert!(ours.range(&key, &9).eq(theirs.range(key..).take_while(|(key, _)| **key <= 9)));
                prop_assert_eq!((ours.get(&key), ours.contains_key(&key)), (theirs.get(&key), theirs.contains_key(&key)));
            }
            ours.retain(|key, value| u16::from(*key).wrapping_add(*value).is_multiple_of(3));
            theirs.retain(|key, value| u16::from(*key).wrapping_add(*value).is_multiple_of(3));
            prop_assert!(ours.iter().eq(theirs.iter()));
            let (json, postcard) = (serde_json::to_string(&theirs).unwrap(), crate::handover::write(&theirs));
            prop_assert_eq!(serde_json::to_string(&ours).unwrap(), json.as_str());
            prop_assert_eq!(crate::handover::write(&ours), postcard);
            prop_assert_eq!(&serde_json::from_str::<Map<u8, u16>>(&json).unwrap(), &ours);
            prop_assert_eq!(theirs.into_iter().rev().collect::<Map<_, _>>(), ours);
        }
    }
}
