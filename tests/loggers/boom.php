<?php
namespace App { class Boom extends \Exception {} }
namespace {
    class Boom extends Exception {}
    error_log(new Boom("no order"));
    error_log("next");
    error_log(new Boom("no order\nno money"));
    error_log("next");
    error_log(new App\Boom("no order"));
    error_log("next");
    error_log(new App\Boom("no order\nno money", 1, new Boom("none\nleft")));
    error_log("next");
    error_log("it failed: " . new Boom("no order\nno money"));
    error_log("next");
    throw new App\Boom("no order\nno money");
}
