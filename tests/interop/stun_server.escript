#!/usr/bin/env escript
%% A TURN server of erlang-p1-stun on 127.0.0.1, over UDP and TCP: PORT REALM [USER PASSWORD]...

main([Port, Realm | Users]) ->
    {ok, _} = application:ensure_all_started(stun),
    Address = {127, 0, 0, 1},
    Number = list_to_integer(Port),
    Passwords = passwords(Users),
    Options = [
        {use_turn, true},
        {auth_type, user},
        {auth_realm, list_to_binary(Realm)},
        {auth_fun, fun(User, _Realm) -> maps:get(User, Passwords, <<>>) end},
        {turn_ipv4_address, Address}
    ],
    [ok = stun_listener:add_listener(Address, Number, Transport, Options) || Transport <- [udp, tcp]],
    io:format("ready turn:127.0.0.1:~b~n", [Number]),
    receive
        stop -> ok
    end.

passwords([]) -> #{};
passwords([User, Password | More]) ->
    (passwords(More))#{list_to_binary(User) => list_to_binary(Password)}.
