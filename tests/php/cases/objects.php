<?php

use Hookbridge\AllowList;

/** As the platform's user model: everything behind magic, and whatever is asked for costs or leaks something. */
final class ModelOfUser
{
    public static $asked = [];
    private $id;

    public function __construct($id)
    {
        $this->id = $id;
    }

    public function __isset($name)
    {
        return true;
    }

    public function __get($name)
    {
        self::$asked[] = $name;
        return $name === 'id' ? $this->id : 'CANARY-' . $name;
    }

    public function toArray(): array
    {
        self::$asked[] = 'toArray';
        return ['id' => $this->id, 'password' => 'CANARY-password'];
    }

    public function __toString(): string
    {
        self::$asked[] = 'text';
        return 'CANARY-text';
    }
}

test('objects: a login is sent as the id of its user, and nothing else is asked of the object', static function () {
    $allow = new AllowList('strval');
    ModelOfUser::$asked = [];
    $paths = ['user.id', 'user', 'user.email', 'user.password', 'user.clients.0.id', 'user.id.id', 'id'];
    same(['user' => ['id' => 9]], $allow->pick(['user' => new ModelOfUser(9)], $paths, 2000));
    same(['id'], array_values(array_unique(ModelOfUser::$asked)));
    same(['user' => ['id' => 9]], $allow->pick(['user' => new ModelOfUser('9')], ['user.id'], 2000));
    foreach ([null, '', 'x', '9 OR 1=1', 9.5, true, [9], new stdClass(), '09', str_repeat('9', 40)] as $no_id) {
        same([], $allow->pick(['user' => new ModelOfUser($no_id)], ['user.id'], 2000), (string) json_encode($no_id));
    }
    $throws = new class {
        public function __isset($name)
        {
            throw new RuntimeException('CANARY');
        }
    };
    same([], $allow->pick(['user' => $throws, 'list' => [new stdClass()]], ['user.id', 'list.0.id'], 2000));
});

test('objects: UserLogin reaches the bridge with the id when the manifest lists it', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    
    $hooks = ['UserLogin' => ['fields' => ['user.id']], 'UserLogout' => ['fields' => ['user.id']]];
    $box->manifest(['hooks' => $hooks]);
    $user = ['__object__' => 'WHMCS\User\User', 'id' => 9, 'email' => 'CANARY-email', 'password' => 'CANARY-password'];
    $box->fire([['hook' => 'UserLogin', 'vars' => ['user' => $user]], ['hook' => 'UserLogout', 'vars' => ['user' => $user]]]);
    same([['user' => ['id' => 9]], ['user' => ['id' => 9]]], array_map(static function (array $request) {
        return $request['event']['fields'];
    }, $box->sent()));
    check(strpos($box->traces(), 'CANARY') === false, 'nothing else of the user leaves');
});
