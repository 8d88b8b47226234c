//! What the Market sells.

use std::fmt;

use crate::money::Cents;

/// A thing on offer.
#[derive(Debug)]
pub(crate) struct Thing {
    /// What forms, addresses and the ratings service call it.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) price: Cents,
    /// One line, for the card.
    pub(crate) blurb: &'static str,
    pub(crate) description: &'static str,
    pub(crate) warnings: &'static [&'static str],
    /// An SVG element that takes the colour of the text around it.
    pub(crate) picture: &'static str,
}

/// All things, sorted by id: in this order they are shown, asked for and summed up.
pub(crate) static THINGS: [Thing; 4] = [
    Thing {
        id: "basketball",
        title: "Basketball",
        price: Cents(1999),
        blurb: "Bounces indoors and out.",
        description: "A size 7 ball of composite leather, with deep channels for a sure grip.",
        warnings: &["Deflate before air travel."],
        picture: include_str!("../assets/basketball.svg"),
    },
    Thing {
        id: "briefcase",
        title: "Briefcase",
        price: Cents(4999),
        blurb: "Holds a day's papers.",
        description: "Full-grain leather, two compartments, and a lock whose code you choose.",
        warnings: &["The lock keeps out the curious, not the determined."],
        picture: include_str!("../assets/briefcase.svg"),
    },
    Thing {
        id: "camera",
        title: "Camera",
        price: Cents(9999),
        blurb: "Small, quick, good in the dark.",
        description: "Twenty megapixels behind a bright 35 mm lens, in a body that fits a coat pocket.",
        warnings: &["Not waterproof.", "Do not point it at the sun."],
        picture: include_str!("../assets/camera.svg"),
    },
    Thing {
        id: "football",
        title: "Football",
        price: Cents(1999),
        blurb: "Laced, and ready to throw.",
        description: "An official-size ball with a tacky cover that stays grippy in the rain.",
        warnings: &["Keep away from windows."],
        picture: include_str!("../assets/football.svg"),
    },
];

/// The thing of this id.
pub(crate) fn find(id: &str) -> Result<&'static Thing, UnknownThing> {
    THINGS.iter().find(|thing| thing.id == id).ok_or_else(|| UnknownThing(id.chars().take(60).collect()))
}

/// Nothing of this id is on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownThing(String);

impl fmt::Display for UnknownThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such Thing: {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_sorted_by_id_and_found_by_it() {
        assert!(THINGS.is_sorted_by_key(|thing| thing.id));
        for thing in &THINGS {
            assert_eq!(find(thing.id).unwrap().title, thing.title);
        }
        assert_eq!(find("x").unwrap_err().to_string(), "no such Thing: x");
    }

    #[test]
    fn all_four_cost_what_the_story_says() {
        assert_eq!(THINGS.iter().map(|thing| thing.price).sum::<Cents>(), Cents(18996));
    }
}
