-- What a Supabase database brings along and a bare Postgres lacks: roles, schemas, auth.uid().
-- For the embedded server only. Can be applied any number of times.
do $$
begin
  if to_regrole('anon') is null then
    create role anon nologin noinherit;
  end if;
  if to_regrole('authenticated') is null then
    create role authenticated nologin noinherit;
  end if;
  if to_regrole('service_role') is null then
    create role service_role nologin noinherit bypassrls;
  end if;
exception when duplicate_object or unique_violation then
  null; -- Roles belong to the whole server: another database of it may have made them just now.
end
$$;

create schema if not exists extensions;
create schema if not exists auth;
grant usage on schema public, extensions, auth to anon, authenticated, service_role;

do $$
begin
  if to_regprocedure('auth.uid()') is null then
    -- As Supabase defines it: the `sub` of the request's token.
    create function auth.uid() returns uuid language sql stable set search_path = '' as $uid$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $uid$;
  end if;
end
$$;
