<?php
function call() { throw new RuntimeException("upstream said 400: " . json_encode(["error" => ["code" => 400]], JSON_PRETTY_PRINT)); }
try { call(); } catch (RuntimeException $e) { error_log($e); }
error_log("next");
call();
