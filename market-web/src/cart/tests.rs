use super::*;

fn play(cart: &mut Cart, form: &str) -> Result<&'static str, CartRefused> {
    cart.apply(&Order::from_form(form.as_bytes())?)
}

#[test]
fn a_cart_holds_one_of_each_until_checkout() {
    let mut cart = Cart::default();
    assert_eq!(play(&mut cart, "basketball=x&addCart=1"), Ok("Item added successfully!"));
    assert_eq!(play(&mut cart, "camera=x&addCart=1"), Ok("Item added successfully!"));
    assert_eq!(cart.total().to_string(), "$119.98");
    assert_eq!(play(&mut cart, "camera=x&addCart=1"), Err(CartRefused::AlreadyIn));
    assert_eq!(play(&mut cart, "basketball=&removeCart=1"), Ok("Item removed successfully!"));
    assert_eq!(play(&mut cart, "basketball=&removeCart=1"), Err(CartRefused::NotIn));
    assert_eq!(cart.total().to_string(), "$99.99");
    assert_eq!(play(&mut cart, "checkout=Checkout"), Ok("Successfully checked out your items!"));
    assert!(cart.is_empty());
    assert_eq!(play(&mut cart, "checkout=Checkout"), Err(CartRefused::Empty));
}

#[test]
fn a_form_that_is_not_one_order_changes_nothing() {
    let mut cart = Cart::from_cookie("cart=camera");
    for form in [
        "",
        "camera=x",
        "addCart=1",
        "removeCart=1",
        "camera=x&addCart=1&removeCart=1",
        "camera=x&football=x&addCart=1",
        "camera=x&checkout=Checkout",
        "zebra=x&addCart=1",
        "%ff=%zz&addCart=1",
    ] {
        assert!(play(&mut cart, form).is_err(), "{form:?}");
        assert_eq!(cart, Cart::from_cookie("cart=camera"), "{form:?}");
    }
}

#[test]
fn a_cookie_comes_back_as_it_went() {
    let cart = Cart::from_cookie("theme=dark; cart=camera.basketball");
    assert!(cart.to_cookie().starts_with("cart=basketball.camera; Path=/; HttpOnly; SameSite=Lax"));
    assert!(Cart::default().to_cookie().contains("Max-Age=0"), "an empty cart takes its cookie away");
}

#[test]
fn a_forged_cookie_names_only_things_on_offer() {
    for header in ["", "cart", "cart=", "cart=zebra", "cart=camera.zebra.camera", "cart=..camera..", "x=camera"] {
        let cart = Cart::from_cookie(header);
        assert!(cart.things().all(|thing| thing.id == "camera"), "{header:?}");
    }
}
